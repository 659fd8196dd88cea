"""Folders behind URLs: all of them or none, and no name leads out of its folder."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.errors import DatasetError, RemoteError
from lungcli.stores import folders
from lungcli.stores import objects as stores
from lungcli.stores.folders import download_folders, upload_folder
from lungcli.stores.objects import RemoteFile
from lungcli.system.progress import silent
from lungcli.system.urls import Url

SCANS = Url("memory://scans")


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """fsspec's file system in memory, empty; tries follow one another at once."""
    MemoryFileSystem.store.clear()
    stores._connection.cache_clear()
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    return MemoryFileSystem()


def fetch(urls, wanted=lambda file: True, progress=silent):
    download_folders(urls, wanted, progress)


def store(folder, progress=silent):
    upload_folder(
        folder, SCANS / "p", last="all.json", owned=["images"], progress=progress
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p" / "images").mkdir(parents=True)
    for name in ("all.json", "images/b.png", "table.csv"):
        (tmp_path / "p" / name).write_text(name)
    return tmp_path / "p"


def test_folders_are_fetched_with_all_below(memory, tmp_path):
    for name in ("one/a.png", "one/east/b.png", "one/c.txt", "two/d.png"):
        memory.pipe(f"/scans/{name}", name.encode())
    told = []
    fetch(
        {tmp_path / "1": SCANS / "one", tmp_path / "2": SCANS / "two"},
        wanted=lambda file: file.path.endswith(".png"),
        progress=lambda *step: told.append(step),
    )
    assert (tmp_path / "1" / "east" / "b.png").read_bytes() == b"one/east/b.png"
    assert not (tmp_path / "1" / "c.txt").exists()
    assert told == [("fetch", done, 3) for done in range(4)]


def test_nothing_is_fetched_unless_all_is_there(memory, tmp_path):
    memory.pipe("/scans/one/a.png", b"1")
    with pytest.raises(DatasetError, match="there is no file in memory://scans/none"):
        fetch({tmp_path / "1": SCANS / "one", tmp_path / "2": SCANS / "none"})
    assert not (tmp_path / "1").exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["../x.png"], "leads out of its folder"),
        (["a//b.png", "a/b.png"], "there twice"),
        (["a/b.png", "a"], "as a folder too"),
    ],
)
def test_names_that_no_disk_has(monkeypatch, tmp_path, names, message):
    files = [RemoteFile(url=SCANS / name, path=name, size=1) for name in names]
    monkeypatch.setattr(folders, "list_files", lambda url: files)
    with pytest.raises(DatasetError, match=message):
        fetch({tmp_path / "1": SCANS})
    assert not (tmp_path / "1").exists()


def test_a_folder_takes_the_place_of_an_older_one(memory, folder):
    for name in ("images/a.png", "images/b.png", "mine/a.png", "images.txt"):
        memory.pipe(f"/scans/p/{name}", b"old")
    told = []
    store(folder, progress=lambda *step: told.append(step))
    assert sorted(memory.find("/scans/p")) == [
        f"/scans/p/{name}"
        for name in (
            "all.json",
            "images.txt",
            "images/b.png",
            "mine/a.png",
            "table.csv",
        )
    ]
    assert memory.cat("/scans/p/images/b.png") == b"images/b.png"
    assert told == [("store", done, 2) for done in range(3)]


def test_what_is_cut_off_lacks_its_last_file(memory, folder, monkeypatch):
    memory.pipe("/scans/p/all.json", b"old")

    def broken(self, *args, **options):
        raise ConnectionError

    monkeypatch.setattr(MemoryFileSystem, "put_file", broken)
    with pytest.raises(RemoteError, match="cannot be stored"):
        store(folder)
    assert memory.find("/scans/p") == []
