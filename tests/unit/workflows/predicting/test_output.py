"""Where outputs go: a folder, or a private one whose files are stored behind a URL."""

import pickle
from pathlib import PurePosixPath

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.data.inputs import Input
from lungcli.errors import RemoteError
from lungcli.stores import objects as stores
from lungcli.system.urls import Url
from lungcli.workflows.predicting import output
from lungcli.workflows.predicting.labelling import Labeller
from lungcli.workflows.predicting.output import (
    LocalFolder,
    RemoteCallFiles,
    RemoteFolder,
    output_folder,
)

OUT = Url("memory://scans/masks")


@pytest.fixture
def memory(monkeypatch):
    """fsspec's file system in memory, empty; tries follow one another at once."""
    MemoryFileSystem.store.clear()
    stores._connection.cache_clear()
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    return MemoryFileSystem()


@pytest.fixture(params=["local", "remote"])
def folder(request, tmp_path, memory):
    """A folder of either kind."""
    del memory
    return output_folder(tmp_path / "out" if request.param == "local" else OUT)


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stored(monkeypatch):
    """Whether storing works, and a note each time."""

    class Stores:
        works, takes, names = True, 0.0, []

    def upload(path, url):
        del url
        if not Stores.works:
            msg = "broken"
            raise RemoteError(msg)
        Stores.names.append(path.name)
        if Stores.clock:
            Stores.clock.now += Stores.takes

    Stores.names, Stores.clock = [], None
    monkeypatch.setattr(output, "upload", upload)
    return Stores


def test_both_kinds_are_alike(folder):
    stem = PurePosixPath("ward/a")
    with folder.opened([]) as files:
        with folder.writing(stem) as path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name("a.png").write_bytes(b"mask")
        with folder.reading("ward/a.png") as path:
            assert path.read_bytes() == b"mask"
        assert files.size("ward/a.png") == 4
        assert files.size("ward/b.png") is None
        (files.folder / "t.csv").write_bytes(b"12")
        files.keep(files.folder / "t.csv")
        files.note(files.folder / "t.csv")
        (files.folder / "t.csv").write_bytes(b"123")
    with folder.reading("t.csv") as path:
        assert path.read_bytes() == b"123"
    folder.remove(["ward/a.png", "ward/b.png"])
    with folder.opened(["t.csv"]) as files:
        assert (files.folder / "t.csv").read_bytes() == b"123"
        assert files.size("ward/a.png") is None
    assert pickle.loads(pickle.dumps(folder)) == folder  # noqa: S301 - our own


def write_and_fail(folder):
    with folder.writing(PurePosixPath("a")) as path:
        path.with_suffix(".png").touch()
        raise ZeroDivisionError


def keep_and_stop(folder):
    with folder.opened([]) as files:
        (files.folder / "j").write_bytes(b"1")
        files.keep(files.folder / "j")
        (files.folder / "j").write_bytes(b"12")
        (files.folder / ".lock").touch()
        raise KeyboardInterrupt


def test_nothing_is_stored_of_what_fails(memory):
    with pytest.raises(ZeroDivisionError):
        write_and_fail(RemoteFolder(OUT))
    assert memory.find("/scans") == []


def test_all_is_stored_when_a_call_is_stopped(memory):
    with pytest.raises(KeyboardInterrupt):
        keep_and_stop(RemoteFolder(OUT))
    assert memory.find("/scans") == ["/scans/masks/j"]
    assert memory.cat("/scans/masks/j") == b"12"


def test_what_could_not_be_stored_at_first_is_not_tried_at_the_end(tmp_path, stored):
    stored.works = False
    files = RemoteCallFiles(tmp_path, OUT)
    (tmp_path / "j").touch()
    with pytest.raises(RemoteError):
        files.keep(tmp_path / "j")
    stored.works = True
    files.keep_all()
    assert stored.names == []


def test_a_journal_is_stored_now_and_then(tmp_path, stored, clock):
    files = RemoteCallFiles(tmp_path, OUT, clock)
    path = tmp_path / "j"
    files.keep(path)
    for _ in range(99):
        files.note(path)
    assert len(stored.names) == 1
    files.note(path)  # the hundredth
    assert len(stored.names) == 2
    clock.now += 29
    files.note(path)
    assert len(stored.names) == 2
    clock.now += 1
    files.note(path)  # after half a minute
    assert len(stored.names) == 3


def test_a_long_journal_takes_little_of_the_time(tmp_path, stored, clock):
    stored.clock, stored.takes = clock, 10.0
    files = RemoteCallFiles(tmp_path, OUT, clock)
    files.keep(tmp_path / "j")
    for _ in range(1000):
        clock.now += 1
        files.note(tmp_path / "j")
    assert 4 <= len(stored.names) <= 6  # every 200 seconds


def test_a_failure_on_the_way_waits_for_the_next_time(tmp_path, stored, clock):
    files = RemoteCallFiles(tmp_path, OUT, clock)
    files.keep(tmp_path / "j")
    stored.works = False
    clock.now += 60
    files.note(tmp_path / "j")
    stored.works = True
    clock.now += 60
    files.note(tmp_path / "j")
    assert len(stored.names) == 2


def test_a_mask_that_cannot_be_removed_is_told_of(memory, monkeypatch, tmp_path):
    memory.pipe("/scans/masks/a.png", b"an old mask")

    def broken(self, path):
        raise ConnectionError(path)

    monkeypatch.setattr(MemoryFileSystem, "rm_file", broken)
    (tmp_path / "a.png").write_bytes(b"no image")
    item = Input(shown="a.png", name=PurePosixPath("a.png"), path=tmp_path / "a.png")
    labeller = Labeller(
        lungs=None,
        gate=None,
        quality=None,
        structures=(),
        on_doubt="warn",
        formats=("png",),
        out=OUT,
    )
    entry = labeller.label(item, PurePosixPath("a"))
    assert entry.status == "failed"
    assert entry.record.error.endswith("A mask of an earlier call may still be there.")


def test_a_local_folder_is_written_to_itself(tmp_path):
    with LocalFolder(tmp_path).writing(PurePosixPath("ward/a")) as path:
        assert path == tmp_path / "ward" / "a"
    with LocalFolder(tmp_path / "new").opened(["j"]) as files:
        assert files.folder == tmp_path / "new"
        assert files.folder.is_dir()


def test_the_journal_is_stored_though_a_table_cannot_be(tmp_path, monkeypatch):
    for name in ("coco.json", "predictions.csv", "predictions.jsonl"):
        (tmp_path / name).touch()
    kept = []

    def upload(path, url):
        del url
        if path.name == "coco.json":
            msg = "too large"
            raise RemoteError(msg)
        kept.append(path.name)

    monkeypatch.setattr(output, "upload", upload)
    files = RemoteCallFiles(tmp_path, OUT)
    files.keep(tmp_path / "predictions.jsonl")
    with pytest.raises(RemoteError, match="too large"):
        files.keep_all()
    assert kept == ["predictions.jsonl", "predictions.jsonl", "predictions.csv"]
