"""The page as a file: complete in itself, escaped, and nothing of an older one left."""

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser

import pytest
from report_cases import NAN, case, pictures, report, scores, summary

from lungcli.errors import OutputError
from lungcli.report.page import check_report_folder, write_report

HOSTILE = "<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text("utf-8")
        self.elements = []
        self.scripts = {}
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.cdata_elem:
            key = self.elements[-1][1].get("id", self.cdata_elem)
            self.scripts[key] = self.scripts.get(key, "") + data

    @property
    def policy(self):
        return next(
            attributes["content"]
            for tag, attributes in self.elements
            if attributes.get("http-equiv") == "Content-Security-Policy"
        )

    @property
    def document(self):
        return json.loads(self.scripts["document"])


def written(tmp_path, cases=None, **changes):
    cases = [case()] if cases is None else cases
    return Page(write_report(tmp_path, report(**changes), cases))


def test_policy_allows_own_style_and_script_only(tmp_path):
    page = written(tmp_path)
    rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    for name in ("style", "script"):
        digest = hashlib.sha256(page.scripts[name].encode()).digest()
        assert rules[f"{name}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_policy_comes_before_what_it_rules(tmp_path):
    tags = [tag for tag, _ in written(tmp_path).elements]
    assert tags.index("style") > tags.index("meta")


def test_nothing_is_loaded_and_nothing_styled_inline(tmp_path):
    page = written(tmp_path)
    assert not re.search(r"https?:|//[a-z]+\.", page.scripts["style"])
    assert "http" not in re.sub(r"http-equiv", "", page.source)
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert not attributes.get("src")
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert attributes.get("href", "#").startswith("#")


def test_names_are_escaped_wherever_they_stand(tmp_path):
    closing = "</script><script>alert(1)</script>"
    cases = [
        case(HOSTILE, source=closing, patient_id=HOSTILE, flags=(HOSTILE,)),
        case("b", facts={HOSTILE: closing}),
    ]
    block = {"mean": 0.5, "min": 0.5, "worst": HOSTILE, "worst_source": closing}
    page = written(
        tmp_path,
        cases,
        title=HOSTILE,
        summary=summary(
            dice=block,
            model=closing,
            data=[HOSTILE],
            notes=[closing],
            sources={HOSTILE: {"dice": block}},
            swapped=[f"{closing}/{HOSTILE}"],
            subgroups={HOSTILE: {closing: {"cases": 1, "dice": block}}},
        ),
    )
    plain = written(tmp_path / "plain", [case(), case("b")])
    assert HOSTILE not in page.source
    assert closing not in page.source
    scripts = [tag for tag, _ in page.elements if tag == "script"]
    assert len(scripts) == len([tag for tag, _ in plain.elements if tag == "script"])
    assert "img" not in {tag for tag, _ in page.elements}
    assert page.document["rows"][0]["cells"][0] == HOSTILE


def test_own_script_and_style_cannot_end_early(tmp_path):
    page = written(tmp_path)
    for name in ("script", "style"):
        assert not re.search(r"</(script|style)|<!--", page.scripts[name], re.I)
        assert "\r" not in page.scripts[name]


def test_names_that_are_not_utf8(tmp_path):
    page = written(tmp_path, [case(os.fsdecode(b"caf\xe9"))])
    assert page.document["rows"][0]["name"] == r"s/caf\udce9"


def test_pictures_are_data_for_the_script(tmp_path):
    one, bare = case("b"), case("c", pictures=pictures(xray=False))
    page = written(tmp_path, [case("a", pictures=None), one, bare])
    assert "picture-0" not in page.scripts
    shown = json.loads(page.scripts["picture-1"])
    assert (shown["width"], shown["height"]) == (3, 2)
    kind, data = shown["xray"].split(";base64,")
    assert kind == "data:image/webp"
    assert base64.b64decode(data) == one.pictures.xray
    assert shown["gold"].startswith("data:image/png;base64,")
    assert "xray" not in json.loads(page.scripts["picture-2"])
    numbers = {row["name"]: row["picture"] for row in page.document["rows"]}
    assert numbers == {"s/a": None, "s/b": 1, "s/c": 2}


def test_everything_undefined(tmp_path):
    nothing = {
        structure: dict.fromkeys(values, NAN) for structure, values in scores().items()
    }
    empty = dict.fromkeys(summary())
    page = written(
        tmp_path, [case(scores=nothing)], summary=empty, history=[{"loss": NAN}]
    )
    row = page.document["rows"][0]
    assert row["cells"] == ["a", "s", "P1", *[None] * 6]
    assert set(row["details"]["lungs"]) == {"–"}
    assert "NaN" not in page.source


def test_no_case_at_all(tmp_path):
    page = written(tmp_path, [], summary={})
    assert page.document["rows"] == []


def test_history_is_drawn_if_there_is_one(tmp_path):
    rows = [{"epoch": k, "loss": 1 / k, "val_dice": 0.9 + k / 100} for k in (1, 2, 3)]
    assert "polyline" in {tag for tag, _ in written(tmp_path, history=rows).elements}
    assert "polyline" not in {tag for tag, _ in written(tmp_path).elements}


def test_too_many_pictures_go_into_a_folder(tmp_path):
    cases = [case("../../a"), case(HOSTILE, pictures=pictures(xray=False))]
    path = write_report(tmp_path, report(), cases, inline_bytes=10)
    assert path == tmp_path / "report" / "index.html"
    page = Page(path)
    assert "img-src 'self' file:;" in page.policy
    shown = json.loads(page.scripts["picture-0"])
    assert shown["xray"] == "images/00000-xray.webp"
    stored = (path.parent / shown["xray"]).read_bytes()
    assert stored == cases[0].pictures.xray
    assert len(list((path.parent / "images").iterdir())) == 4 + 3


def test_the_limit_counts_pictures_as_text(tmp_path):
    size = sum(4 * len(file) // 3 for file in pictures().files().values())
    inline = write_report(tmp_path, report(), [case()], inline_bytes=size)
    beside = write_report(tmp_path, report(), [case()], inline_bytes=size - 1)
    assert (inline.name, beside.name) == ("report.html", "index.html")


def test_a_report_of_the_other_kind_does_not_stay(tmp_path):
    write_report(tmp_path, report(), [case()], inline_bytes=0)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    write_report(tmp_path, report(), [case()])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    write_report(tmp_path, report(), [case()], inline_bytes=0)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    thesis = tmp_path / "report" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(OutputError, match="is not a report of lungcli"):
        check_report_folder(tmp_path)
    with pytest.raises(OutputError, match="Rename it, or choose another place"):
        write_report(tmp_path, report(), [case()])
    assert thesis.read_text() == "years of work"


def test_an_empty_folder_is_nobodys(tmp_path):
    (tmp_path / "report").mkdir()
    write_report(tmp_path, report(), [case()])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_page_is_written_piece_by_piece(tmp_path):
    """The pictures of a case are asked for only when its turn has come."""
    path = tmp_path / ".part-report.html"
    seen = []

    class Cases(list):
        def __iter__(self):
            for one in super().__iter__():
                seen.append(path.stat().st_size if path.exists() else 0)
                yield one

    large = pictures()
    object.__setattr__(large, "xray", bytes(100_000))
    cases = Cases(case(str(number), pictures=large) for number in range(20))
    page = write_report(tmp_path, report(), cases)
    second_pass = seen[20:]
    assert len(second_pass) == 20
    assert second_pass[-1] > 1_500_000
    assert page.stat().st_size > 20 * 133_000


def test_the_same_bytes_twice(tmp_path):
    first = write_report(tmp_path / "1", report(), [case()])
    second = write_report(tmp_path / "2", report(), [case()])
    assert first.read_bytes() == second.read_bytes()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path / "file" / "out", report(), [case()])
