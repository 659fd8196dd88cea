"""X-rays behind URLs: found and named as those in folders."""

import pickle
from io import StringIO
from pathlib import Path, PurePosixPath

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.data.inputs import find_inputs, output_stems, remote
from lungcli.data.inputs import input as input_module
from lungcli.errors import DatasetError, ImageError
from lungcli.stores import objects as stores
from lungcli.stores.objects import RemoteFile
from lungcli.system.urls import Url

DICOM = bytes(128) + b"DICM" + bytes(10)
WARD = "memory://scans/ward"


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """A ward with images of several kinds, and with what is none."""
    MemoryFileSystem.store.clear()
    stores._connection.cache_clear()
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    system = MemoryFileSystem()
    files = {
        "b.png": b"b",
        "east/a.JPG": b"a",
        "east/IM1": DICOM,
        "east/IM2": bytes(200),
        "east/1.2.840": DICOM,
        ".hidden/x.png": b"x",
        "east/.y.png": b"y",
        "notes.txt": b"n",
        "more.zip": b"z",
        "masks/b.png": b"m",
    }
    for name, content in files.items():
        system.pipe(f"/scans/ward/{name}", content)
    return system


def find(*given, out=Path("out"), stdin=""):
    return find_inputs(given, stdin=StringIO(stdin), out=out)


def refuse(item):
    with item.local() as path:
        msg = f"{path} is odd"
        raise ImageError(msg)


def names(found):
    return [str(item.name) for item in found]


def test_a_folder_is_searched_by_the_rules_of_folders():
    found = find(WARD)
    assert names(found) == [
        "b.png",
        "east/1.2.840",
        "east/IM1",
        "east/a.JPG",
        "masks/b.png",
    ]
    assert found[0].shown == f"{WARD}/b.png"
    assert names(find(f"{WARD}/")) == names(found)


def test_the_order_and_names_are_those_of_a_local_folder(memory, tmp_path):
    for name in memory.find("/scans/ward"):
        content = memory.cat_file(name)
        path = tmp_path / name.removeprefix("/scans/ward/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    local = find(str(tmp_path))
    assert names(find(WARD)) == names(local)
    for pattern in ("*.png", "**/*.png", "east*", "e*/I*", "[bx].png"):
        assert names(find(f"{WARD}/{pattern}")) == names(find(f"{tmp_path}/{pattern}"))


def test_a_file_goes_directly_into_the_output_folder():
    (item,) = find(f"{WARD}/east/a.JPG")
    assert item.name == PurePosixPath("a.JPG")
    assert find(f"{WARD}/b.png", WARD)[0].name == PurePosixPath("b.png")
    assert len(find(f"{WARD}/b.png", WARD)) == 5


def test_brackets_of_a_name_that_is_there_are_no_pattern(memory):
    memory.pipe("/scans/ward/c[1].png", b"c")
    assert names(find(f"{WARD}/c[1].png")) == ["c[1].png"]


def test_the_output_folder_is_not_searched():
    out = Url(f"{WARD}/masks")
    assert "masks/b.png" not in names(find(WARD, out=out))
    assert "masks/b.png" not in names(find(f"{WARD}/**/*.png", out=out))
    with pytest.raises(DatasetError, match=f"--out {WARD} holds the input {WARD}/east"):
        find(f"{WARD}/east", out=Url(WARD))


def test_no_input_is_overwritten():
    items = find(f"{WARD}/b.png")
    with pytest.raises(DatasetError, match=f"{WARD}/b.png is an input and would be"):
        output_stems(items, out=Url(f"{WARD}/"), suffixes=[".png"])
    (stem,) = output_stems(items, out=Url("memory://scans/o"), suffixes=[".png"])
    assert stem == PurePosixPath("b")
    local = find_inputs([__file__], stdin=(), out=Url(WARD))
    assert output_stems(local, out=Url(WARD), suffixes=[".py"])


def test_a_copy_is_private_and_goes_away():
    (item,) = pickle.loads(pickle.dumps(find(f"{WARD}/east/a.JPG")))  # noqa: S301
    with item.local() as path:
        assert path.read_bytes() == b"a"
        assert path.suffix == ".JPG"
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
    with pytest.raises(ImageError, match=f"^{WARD}/east/a.JPG is odd"):
        refuse(item)


def test_the_state_tells_a_change(memory):
    (before,) = find(f"{WARD}/b.png")
    memory.pipe("/scans/ward/b.png", b"B")
    (after,) = find(f"{WARD}/b.png")
    assert before.state()["size"] == after.state()["size"]
    assert before.state() != after.state() != {}


def test_what_is_too_large_is_not_fetched(monkeypatch):
    monkeypatch.setattr(input_module, "MAX_BYTES", 0)
    (item,) = find(f"{WARD}/b.png")
    with pytest.raises(ImageError, match="larger than any X-ray"), item.local():
        pass


def test_archives_are_read_from_disks_only():
    with pytest.raises(DatasetError, match=r"more\.zip is a zip archive"):
        find(f"{WARD}/more.zip")
    found = find(f"{WARD}/*")
    (archive,) = (item for item in found if item.problem)
    assert archive.shown == f"{WARD}/more.zip"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (f"{WARD}/none", "no image in memory://scans/ward/none"),
        (f"{WARD}/*.tif", "as a pattern it matches no image"),
    ],
)
def test_what_is_missing_is_said(given, message):
    with pytest.raises(DatasetError, match=message):
        find(given)


def test_a_name_that_climbs_is_refused(monkeypatch):
    # a key of an object is free text; this file system does not have such
    up = RemoteFile(url=Url(f"{WARD}/../up.png"), path="../up.png", size=1)
    monkeypatch.setattr(remote, "list_files", lambda url: [up])
    with pytest.raises(DatasetError, match="leads out of its folder"):
        find(WARD)


def test_a_list_keeps_the_places_below_what_all_have_in_common():
    found = find("-", stdin=f"{WARD}/b.png\n{WARD}/east/a.JPG\n{WARD}/east/IM1\n")
    assert names(found) == ["b.png", "east/a.JPG", "east/IM1"]
    assert found[0].state()["size"] == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (f"{WARD}/b.png\n{__file__}\n", "names both files and URLs"),
        (f"{WARD}/b.png\nmemory://other/b.png\n", "names several buckets"),
        (f"{WARD}/b.png\nnone.png\n", "line 2 .* none.png does not exist"),
    ],
)
def test_a_list_names_one_place(lines, message):
    with pytest.raises(DatasetError, match=message):
        find("-", stdin=lines)


def test_a_signature_is_in_no_name():
    item = find_inputs(
        ["-"], stdin=["https://h/w/a.png?X-Amz-Signature=beef"], out=Path("out")
    )[0]
    assert item.shown == "https://h/w/a.png"
    assert item.name == PurePosixPath("a.png")
    assert "beef" not in repr(item)


def test_a_file_url_is_a_path(tmp_path):
    (tmp_path / "a.png").touch()
    (item,) = find(f"file://{tmp_path}/a.png")
    assert item.path == tmp_path / "a.png"


def test_an_empty_folder_in_a_name_hides_no_xray(memory):
    memory.store.clear()
    for key in ("ward//a.png", "ward/b//c.png"):
        memory.pipe(f"/scans/{key}", b"x")
    found = find(WARD)
    assert names(found) == ["a.png", "b/c.png"]
    assert [item.shown for item in found] == [f"{WARD}//a.png", f"{WARD}/b//c.png"]
    memory.pipe("/scans/ward/a.png", b"y")
    with pytest.raises(DatasetError, match="several inputs would be written to"):
        output_stems(find(WARD), out=Path("out"), suffixes=[".png"])
