"""Where outputs go: a folder, or a private one whose files are stored behind a URL."""

import pickle
from pathlib import PurePosixPath

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.data.inputs import Input
from lungcli.errors import OutputError, RemoteError
from lungcli.stores import objects as stores
from lungcli.system.urls import Url
from lungcli.workflows.predicting import places
from lungcli.workflows.predicting.labelling import Labeller
from lungcli.workflows.predicting.places import (
    LocalPlace,
    RemoteDesk,
    RemotePlace,
    place_at,
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
def place(request, tmp_path, memory):
    """A place of either kind."""
    del memory
    return place_at(tmp_path / "out" if request.param == "local" else OUT)


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
    monkeypatch.setattr(places, "upload", upload)
    return Stores


def test_places_are_alike(place):
    place.check()
    stem = PurePosixPath("ward/a")
    with place.opened([]) as desk:
        with place.writing(stem) as path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name("a.png").write_bytes(b"mask")
        with place.reading("ward/a.png") as path:
            assert path.read_bytes() == b"mask"
        assert desk.size("ward/a.png") == 4
        assert desk.size("ward/b.png") is None
        (desk.folder / "t.csv").write_bytes(b"12")
        desk.keep(desk.folder / "t.csv")
        desk.note(desk.folder / "t.csv")
        (desk.folder / "t.csv").write_bytes(b"123")
    with place.reading("t.csv") as path:
        assert path.read_bytes() == b"123"
    place.remove(["ward/a.png", "ward/b.png"])
    with place.opened(["t.csv"]) as desk:
        assert (desk.folder / "t.csv").read_bytes() == b"123"
        assert desk.size("ward/a.png") is None
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own


def write_and_fail(place):
    with place.writing(PurePosixPath("a")) as path:
        path.with_suffix(".png").touch()
        raise ZeroDivisionError


def keep_and_stop(place):
    with place.opened([]) as desk:
        (desk.folder / "j").write_bytes(b"1")
        desk.keep(desk.folder / "j")
        (desk.folder / "j").write_bytes(b"12")
        (desk.folder / ".lock").touch()
        raise KeyboardInterrupt


def test_nothing_is_stored_of_what_fails(memory):
    with pytest.raises(ZeroDivisionError):
        write_and_fail(RemotePlace(OUT))
    assert memory.find("/scans") == []


def test_all_is_stored_when_a_call_is_stopped(memory):
    with pytest.raises(KeyboardInterrupt):
        keep_and_stop(RemotePlace(OUT))
    assert memory.find("/scans") == ["/scans/masks/j"]
    assert memory.cat("/scans/masks/j") == b"12"


def test_what_could_not_be_stored_at_first_is_not_tried_at_the_end(tmp_path, stored):
    stored.works = False
    desk = RemoteDesk(tmp_path, OUT)
    (tmp_path / "j").touch()
    with pytest.raises(RemoteError):
        desk.keep(tmp_path / "j")
    stored.works = True
    desk.keep_all()
    assert stored.names == []


def test_a_journal_is_stored_now_and_then(tmp_path, stored, clock):
    desk = RemoteDesk(tmp_path, OUT, clock)
    path = tmp_path / "j"
    desk.keep(path)
    for _ in range(99):
        desk.note(path)
    assert len(stored.names) == 1
    desk.note(path)  # the hundredth
    assert len(stored.names) == 2
    clock.now += 29
    desk.note(path)
    assert len(stored.names) == 2
    clock.now += 1
    desk.note(path)  # after half a minute
    assert len(stored.names) == 3


def test_a_long_journal_takes_little_of_the_time(tmp_path, stored, clock):
    stored.clock, stored.takes = clock, 10.0
    desk = RemoteDesk(tmp_path, OUT, clock)
    desk.keep(tmp_path / "j")
    for _ in range(1000):
        clock.now += 1
        desk.note(tmp_path / "j")
    assert 4 <= len(stored.names) <= 6  # every 200 seconds


def test_a_failure_on_the_way_waits_for_the_next_time(tmp_path, stored, clock):
    desk = RemoteDesk(tmp_path, OUT, clock)
    desk.keep(tmp_path / "j")
    stored.works = False
    clock.now += 60
    desk.note(tmp_path / "j")
    stored.works = True
    clock.now += 60
    desk.note(tmp_path / "j")
    assert len(stored.names) == 2


def test_a_prepared_data_set_is_no_place(memory):
    memory.pipe(
        "/scans/data/dataset.json", b'{"format_version": 3, "fingerprint": "00"}'
    )
    memory.pipe("/scans/other/dataset.json", b'{"name": "of nnU-Net"}')
    for folder in ("data", "data/masks"):
        with pytest.raises(OutputError, match="prepared data set memory://scans/data"):
            RemotePlace(Url(f"memory://scans/{folder}")).check()
    RemotePlace(Url("memory://scans/other/masks")).check()


def test_a_mask_that_cannot_be_removed_is_told_of(memory, monkeypatch, tmp_path):
    memory.pipe("/scans/masks/a.png", b"an old mask")

    def broken(self, path):
        raise ConnectionError(path)

    monkeypatch.setattr(MemoryFileSystem, "rm_file", broken)
    (tmp_path / "a.png").write_bytes(b"no image")
    item = Input(shown="a.png", name=PurePosixPath("a.png"), path=tmp_path / "a.png")
    labeller = Labeller(
        lungs=None, gate=None, quality=None, on_doubt="warn", formats=("png",), out=OUT
    )
    entry = labeller.label(item, PurePosixPath("a"))
    assert entry.status == "failed"
    assert entry.record.error.endswith("A mask of an earlier call may still be there.")


def test_a_local_place_is_the_folder(tmp_path):
    with LocalPlace(tmp_path).writing(PurePosixPath("ward/a")) as path:
        assert path == tmp_path / "ward" / "a"
    with LocalPlace(tmp_path / "new").opened(["j"]) as desk:
        assert desk.folder == tmp_path / "new"
        assert desk.folder.is_dir()


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

    monkeypatch.setattr(places, "upload", upload)
    desk = RemoteDesk(tmp_path, OUT)
    desk.keep(tmp_path / "predictions.jsonl")
    with pytest.raises(RemoteError, match="too large"):
        desk.keep_all()
    assert kept == ["predictions.jsonl", "predictions.jsonl", "predictions.csv"]
