import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.data.inputs import Input, output_stems
from lungcli.errors import DatasetError

SUFFIXES = (".png", "_overlay.png")


def inputs(*names, root="in"):
    return [
        Input(shown=f"{root}/{name}", name=PurePosixPath(name), path=Path(root, name))
        for name in names
    ]


def stems(*names, suffixes=SUFFIXES, **how):
    found = output_stems(inputs(*names), out=Path("masks"), suffixes=suffixes, **how)
    return [str(stem) for stem in found]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["a.png"], ["a"], id="alone"),
        pytest.param(["w/a.png", "a.png"], ["w/a", "a"], id="folders"),
        pytest.param(["a.png", "a.jpg", "b.png"], ["a.png", "a.jpg", "b"], id="twins"),
        pytest.param(["A.png", "a.jpg"], ["A.png", "a.jpg"], id="case"),
        pytest.param(["a.DCM", "a"], ["a.DCM", "a"], id="bare"),
        pytest.param(["1.2.3", "1.2.4"], ["1.2.3", "1.2.4"], id="uids"),
        pytest.param(["a.v1", "a.v2"], ["a.v1", "a.v2"], id="unknown"),
        pytest.param(
            ["a.png.png.png", "a.png", "a.png.png", "a.jpg"],
            ["a.png.png.png", "a.png", "a.png.png", "a.jpg"],
            id="chain",
        ),
        pytest.param(
            [f"{unicodedata.normalize(form, 'ä')}.{form}" for form in ("NFC", "NFD")],
            ["ä.NFC", "a\u0308.NFD"],
            id="accents",
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_stems(names, expected):
    assert stems(*names) == expected


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a.png", "a.png"], id="equal"),
        pytest.param(["w/A.png", "W/a.PNG"], id="case"),
        pytest.param(["ä.png", "a\u0308.png"], id="accents"),
        pytest.param(["a.png", "a_overlay.png"], id="overlay"),
        pytest.param(["a.png", "a_OVERLAY.jpg"], id="overlay-case"),
        pytest.param(["a.jpg", "a.png/b.jpg"], id="folder"),
        pytest.param(["A.jpg", "a.PNG/deep/b.jpg"], id="folder-case"),
    ],
)
def test_collisions_name_both(names):
    message = (
        f"several inputs would be written to masks/.*: in/{names[0]} and "
        f"in/{names[1]}. Give the folder that holds both"
    )
    with pytest.raises(DatasetError, match=message):
        stems(*names)


def test_an_overlay_takes_a_name_only_if_it_is_written():
    names = ["a.png", "a_overlay.png"]
    assert stems(*names, suffixes=[".png"]) == ["a", "a_overlay"]


def test_files_of_the_whole_call_are_safe():
    message = r"in/Review\.jpg would be written to masks/review\.png, where"
    with pytest.raises(DatasetError, match=message):
        stems("Review.jpg", taken=["predictions.csv", "review.png"])


def test_names_that_no_disk_takes():
    fits = 255 - len("_overlay.png")
    assert len(stems("x" * fits + ".png")) == 1
    assert len(stems("d" * 255 + "/a.png")) == 1
    for name in ("x" * (fits + 1), "é" * (fits // 2 + 1)):
        with pytest.raises(DatasetError, match=r"too long .*243 bytes\)\. Rename"):
            stems(f"{name}.png")


@pytest.mark.parametrize(
    ("out", "names"),
    [
        ("in", ["a.png"]),
        ("in/../in", ["b.png", "deep/a.PNG"]),
        ("in", ["a.jpg", "A.PNG", "a.png.png"]),
        (".", ["in/a.png"]),
    ],
)
def test_an_input_is_never_overwritten(tmp_path, monkeypatch, out, names):
    monkeypatch.chdir(tmp_path)
    Path("in/deep").mkdir(parents=True)
    items = inputs(*names) if out != "." else inputs(*names, root=".")
    with pytest.raises(DatasetError, match="is an input and would be overwritten"):
        output_stems(items, out=Path(out), suffixes=SUFFIXES)


def test_an_input_is_known_through_links(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").symlink_to("in")
    items = inputs("a.png", root=tmp_path / "in")
    with pytest.raises(DatasetError, match=r"out/a\.png is an input"):
        output_stems(items, out=tmp_path / "out", suffixes=SUFFIXES)


def test_beside_its_input():
    stem = output_stems(inputs("a.jpg"), out=Path("in"), suffixes=SUFFIXES)
    assert stem == (PurePosixPath("a"),)


PARTS = st.sampled_from(["a", "A", "b", "a.png", "a_overlay", "a.jpg"])
ENDINGS = st.sampled_from([".png", ".PNG", ".jpg", "", ".7"])
NAMES = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(PARTS, min_size=1, max_size=2),
    ENDINGS,
)


@given(st.lists(NAMES, unique_by=str.casefold, max_size=8))
def test_outputs_are_unique_or_refused(names):
    """The definition, in quadratic time, on names made to collide."""
    try:
        found = stems(*names)
    except DatasetError:
        return
    outputs = [f"{stem}{suffix}".casefold() for stem in found for suffix in SUFFIXES]
    assert len(set(outputs)) == len(outputs)
    for name, stem in zip(names, found, strict=True):
        assert name.startswith(stem)
    for first in outputs:
        assert not any(other.startswith(f"{first}/") for other in outputs)


@given(st.lists(NAMES, unique_by=str.casefold, max_size=8))
def test_the_order_does_not_matter(names):
    def named(order):
        try:
            return dict(zip(order, stems(*order), strict=True))
        except DatasetError:
            return None

    assert named(names) == named(names[::-1])
