"""Names from strangers in every output: shown as they are, and never obeyed."""

import csv
import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from PIL import Image

from lungcli.phantom import draw_phantom

# Each is a whole file name before its suffix.
NAMES = (
    "<img src=x onerror=alert(1)>",
    "'\"><script>alert(1)<",
    "{{7*7}}{%raw%}",
    "=cmd|' C calc'!A1",
    "+1-1@SUM(A1)",
    "[red]x[link=file:x]",
    "$\\input{passwd}$ ^_#&%~",
    "`id`; $(id) && %s",
)
# A terminal or a line of text would obey them.
CONTROLS = (
    "\x1b]0;title\x07",
    "\x1b[2J\x9b31m",
    "two\nlines",
    "return\rback\x08",
    "\u202egnp.exe",
    "\u2066turned\u2069",
)
SOURCE = "<b>[bold]=1$a$"


def is_quiet(text):
    """Tell whether text has nothing but what shows, and ends of lines."""
    kinds = {unicodedata.category(char) for char in text if char not in "\n\r"}
    return not kinds & {"Cc", "Cs", "Zl", "Zp"} and not re.search(
        "[\u202a-\u202e\u2066-\u2069]", text
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A picture and a mask, as files."""
    folder = tmp_path_factory.mktemp("pictures")
    phantom = draw_phantom(1, 96)
    Image.fromarray(phantom.image).save(folder / "image.png")
    Image.fromarray((phantom.labels > 0).astype("uint8") * 255).save(
        folder / "mask.png"
    )
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cells(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return [cell for row in csv.reader(lines) for cell in row]


def check_table(path):
    """No cell is a formula, and no name adds a line."""
    text = path.read_bytes().decode("utf-8")
    assert is_quiet(text), path
    for cell in cells(path):
        assert not re.match(r"[=+@\t\r]|-(?![0-9.]+(e-?[0-9]+)?$)", cell), (path, cell)


def check_printed(result):
    assert is_quiet(result.stdout)
    assert is_quiet(result.stderr)


def test_predict(here, pictures, make_model, invoke):
    model = make_model(here / "model")
    (here / "in").mkdir()
    for name in (*NAMES, *CONTROLS):
        shutil.copy(pictures / "image.png", here / "in" / f"{name}.png")
    (here / "in" / "[red]broken[bold]\x1b[2J.png").write_text("no image")
    formats = "png,rle,coco,csv,overlay"
    result = invoke(
        *("predict", "in", "--model", model, "--format", formats, "--review"), status=3
    )
    check_printed(result)
    assert "[red]broken[bold]\\x1b[2J.png" in result.stderr.replace("\n", "")
    for name in ("predictions.csv", "measures.csv", "rle.csv"):
        check_table(here / "masks" / name)
    coco = json.loads((here / "masks" / "coco.json").read_text(encoding="ascii"))
    assert len(coco["images"]) == len(NAMES) + len(CONTROLS)
    as_json = invoke("predict", "in", "--model", model, "--json", status=3)
    check_printed(as_json)
    assert len(json.loads(as_json.stdout)["files"]) == len(NAMES) + len(CONTROLS) + 1


class Elements(HTMLParser):
    """Collects the elements of a page, and the text that is shown."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes, self.shown = [], [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.shown.append(data)


def elements(page):
    found = Elements()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def make_source(folder, pictures, names):
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for name in names:
        shutil.copy(pictures / "image.png", folder / "images" / f"{name}.png")
        shutil.copy(pictures / "mask.png", folder / "masks" / f"{name}.png")
    table = "\n".join(f'"{name}","{name}"' for name in names if '"' not in name)
    (folder / "cases.csv").write_text(f"case_id,finding\n{table}\n", encoding="utf-8")
    return folder


def evaluate(here, pictures, make_model, invoke, source, names):
    """Prepare and evaluate two networks; return the folder and what was printed."""
    folder = make_source(here / source, pictures, names)
    models = [make_model(here / f"{name}{source}") for name in ("a", "b")]
    printed = [
        invoke("prepare", folder, "--out", here / "prepared", "--workers", 1),
        invoke(
            *("evaluate", "--data", here / "prepared", "--split", "all"),
            *("--out", here / "scores", "--figures", "svg", "--any-convention"),
            *(argument for model in models for argument in ("--model", model)),
        ),
        invoke(
            *("visualize", "--data", here / "prepared", "--split", "all"),
            *("--model", models[0], "--out", here / "pictures"),
        ),
    ]
    return here / "scores", printed


def test_everything_after_prepare(here, pictures, make_model, invoke):
    names = (*NAMES, *CONTROLS)
    scores, printed = evaluate(here, pictures, make_model, invoke, SOURCE, names)
    for result in printed:
        check_printed(result)
    assert "[bold]" in printed[1].stdout
    tables = [*scores.rglob("*.csv"), here / "prepared" / "audit.csv"]
    assert len(tables) >= 4
    for table in tables:
        check_table(table)
    for figure in scores.rglob("*.svg"):
        drawing = ElementTree.parse(figure)  # noqa: S314 - our own
        tags = {item.tag.rpartition("}")[2] for item in drawing.iter()}
        assert not tags & {"script", "img", "b", "foreignObject", "image"}, figure
    tex = (scores / "matrix.tex").read_text(encoding="utf-8")
    assert r"\input" not in tex
    assert r"\$a\$" in tex
    # LaTeX takes these for options where they follow the end of a row
    assert "{[}bold{]}" in tex
    assert not re.search(r"\\\\\s*[\[*]", tex)


def test_the_page_has_no_other_elements_than_with_plain_names(
    here, pictures, make_model, invoke
):
    pages = {}
    for source, names in ((SOURCE, NAMES), ("plain", list("abcdefgh"))):
        folder = here / source[:1]
        scores, _ = evaluate(folder, pictures, make_model, invoke, source, names)
        (page, *_) = sorted(scores.rglob("report.html"))
        pages[source] = elements(page)
        assert is_quiet(page.read_text(encoding="utf-8"))
    hostile, plain = pages.values()
    assert hostile.names == plain.names
    assert set(hostile.attributes) == set(plain.attributes)
    assert len(hostile.names) > 100
