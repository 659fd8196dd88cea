"""What is behind a URL: tried again, whole or not there, and no secret told."""

import errno
import pickle
import subprocess
import sys

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from lungcli.errors import OutputError, RemoteError
from lungcli.stores import objects as stores
from lungcli.stores.objects import (
    RemoteFile,
    check_writable,
    download,
    list_files,
    look_up,
    matching,
    read_starts,
    remove,
    state_of,
    upload,
)
from lungcli.system.urls import Url

WARD = Url("memory://scans/ward")


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """fsspec's file system in memory, empty; tries follow one another at once."""
    MemoryFileSystem.store.clear()
    stores._connection.cache_clear()
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    return MemoryFileSystem()


@pytest.fixture
def failing(monkeypatch):
    """A function that makes a method of the file system fail so many times."""

    def fail(name, times, error):
        real = getattr(MemoryFileSystem, name)
        calls = []

        def method(self, *args, **options):
            calls.append(args)
            if len(calls) <= times:
                raise error
            return real(self, *args, **options)

        monkeypatch.setattr(MemoryFileSystem, name, method)
        return calls

    return fail


def test_files_are_listed_by_folder_and_name(memory):
    for place in ("b.png", "a/z.png", "a/b/c", "a.png"):
        memory.pipe(f"/scans/ward/{place}", b"12")
    memory.pipe("/scans/ward2/x.png", b"1")
    files = list_files(WARD)
    assert [file.path for file in files] == ["a/b/c", "a/z.png", "a.png", "b.png"]
    assert [file.size for file in files] == [2] * 4
    assert files[0].url == Url("memory://scans/ward/a/b/c")
    assert list_files(WARD / "none") == []
    assert pickle.loads(pickle.dumps(files)) == files  # noqa: S301 - our own


def test_a_change_shows_in_the_state(memory):
    memory.pipe("/scans/ward/a.png", b"12")
    before = state_of(look_up(WARD / "a.png"))
    assert state_of(RemoteFile(url=WARD / "a.png", path="a.png", size=None)) == before
    memory.pipe("/scans/ward/a.png", b"21")
    after = state_of(look_up(WARD / "a.png"))
    assert before["size"] == after["size"] == 2
    assert before["version"] != after["version"]
    assert state_of(RemoteFile(url=WARD / "none", path="", size=None)) == {}


def test_a_pattern_finds_files_and_folders(memory):
    for place in ("a1.png", "a2.png", "a3/x.png", "b.png"):
        memory.pipe(f"/scans/ward/{place}", b"1")
    found = [(match.path, is_folder) for match, is_folder in matching(WARD, "a*")]
    assert found == [("a1.png", False), ("a2.png", False), ("a3", True)]


def test_only_the_first_bytes_are_read(memory):
    memory.pipe({"/scans/ward/a": b"12345", "/scans/ward/b": b"67890"})
    assert read_starts(list_files(WARD), 3) == [b"123", b"678"]
    assert read_starts([], 3) == []


def test_a_file_is_there_whole_or_not_at_all(memory, tmp_path, failing):
    path = tmp_path / "a.png"
    path.write_bytes(b"new")
    memory.pipe("/scans/ward/a.png", b"old")
    failing("mv", 3, ConnectionResetError(errno.ECONNRESET, "reset"))
    with pytest.raises(RemoteError, match=r"a.png cannot be stored; the connection br"):
        upload(path, WARD / "a.png")
    upload(path, WARD / "a.png")
    assert memory.cat("/scans/ward/a.png") == b"new"
    assert [file.path for file in list_files(WARD)] == ["a.png"]


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_broken_connection_is_tried_again(times, memory, tmp_path, failing):
    memory.pipe("/scans/ward/a.png", b"12")
    path = tmp_path / "copy"
    path.touch()
    calls = failing("get_file", times, TimeoutError())
    download(look_up(WARD / "a.png"), path)
    assert path.read_bytes() == b"12"
    assert len(calls) == times + 1


def test_after_three_tries_it_is_said_once(memory, tmp_path, failing):
    memory.pipe("/scans/ward/a.png", b"12")
    calls = failing("get_file", 9, OSError(5, "GET https://h/?X-Amz-Signature=beef"))
    with pytest.raises(RemoteError, match=r"^memory://scans/ward/a.png cannot be") as e:
        download(look_up(WARD / "a.png"), tmp_path / "copy")
    assert len(calls) == 3
    assert "beef" not in str(e.value)


def test_what_comes_cut_short_is_no_file(memory, tmp_path):
    memory.pipe("/scans/ward/a.png", b"12")
    (tmp_path / "copy").touch()
    file = RemoteFile(url=WARD / "a.png", path="a.png", size=3)
    with pytest.raises(RemoteError, match="the connection broke off"):
        download(file, tmp_path / "copy")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(), "no such file, folder or bucket"),
        (PermissionError(), "access is denied: check your credentials"),
        (NotImplementedError(), "cannot do that"),
    ],
)
def test_what_no_time_mends_is_not_tried_again(error, message, tmp_path, failing):
    calls = failing("put_file", 9, error)
    (tmp_path / "a").touch()
    with pytest.raises(RemoteError, match=message):
        upload(tmp_path / "a", WARD / "a")
    assert len(calls) == 1


def test_a_full_disk_is_no_matter_of_the_network(memory, tmp_path, failing):
    memory.pipe("/scans/ward/a.png", b"12")
    calls = failing("get_file", 9, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OutputError, match="TMPDIR"):
        download(look_up(WARD / "a.png"), tmp_path / "copy")
    assert len(calls) == 1


def test_what_is_not_there_is_removed_already(memory):
    memory.pipe("/scans/ward/a.png", b"12")
    for _ in range(2):
        remove(WARD / "a.png")
    assert list_files(WARD) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense://x/y", "fsspec knows no such kind of URL"),
        ("zip://a.png::memory://x.zip", "fsspec knows no such kind of URL"),
        ("gs://bucket/x", r"pip install 'lungcli\[gcs\]'"),
    ],
)
def test_what_cannot_be_opened_is_said(url, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(RemoteError, match=message):
        look_up(Url(url))


def test_nothing_is_written_to_the_web():
    with pytest.raises(RemoteError, match="nothing can be written to https://h/x:"):
        check_writable(Url("https://h/x?sig=beef"))


def test_fsspec_is_imported_only_where_there_is_a_url(tmp_path):
    code = (
        "import sys\n"
        "from lungcli.workflows.predicting import predict\n"
        "from lungcli.workflows.preparing import prepare\n"
        "from lungcli.data.inputs import find_inputs\n"
        f"find_inputs([{str(tmp_path / 'a.png')!r}], stdin=(), out=predict.Path('o'))\n"
        "print('fsspec' in sys.modules)"
    )
    (tmp_path / "a.png").touch()
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "False\n"
