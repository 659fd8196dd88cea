"""One process for each output folder."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lungcli.errors import OutputError
from lungcli.system import locks
from lungcli.system.locks import LOCK, locked

pytest.importorskip("fcntl")

HOLD = """
import sys, time
from pathlib import Path
from lungcli.system.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `out`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_told_who_is_there_and_what_to_do(tmp_path, holder):
    said = rf"out is in use by process {holder.pid} on .*Wait until.* --run\."
    with (
        pytest.raises(OutputError, match=said),
        locked(tmp_path / "out", option="--run"),
    ):
        pass
    assert (tmp_path / "out" / LOCK).exists()  # the other's


def test_a_killed_process_holds_nothing(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "out" / LOCK).exists()
    with locked(tmp_path / "out"):
        pass
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_made_in_vain_is_removed_and_one_that_was_there_is_not(tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("old", "new"):
        with locked(tmp_path / name):
            assert (tmp_path / name / LOCK).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_was_written_stays(tmp_path):
    with locked(tmp_path / "out"):
        (tmp_path / "out" / "a").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_outside_it_lies_beside_what_a_link_points_to(tmp_path):
    (tmp_path / "disk" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to("disk/data")
    with locked(tmp_path / "link", outside=True):
        assert (tmp_path / "disk" / ".lock-data").exists()
        with (
            pytest.raises(OutputError, match="in use"),
            locked(tmp_path / "disk" / "data", outside=True),
        ):
            pass
    assert not list((tmp_path / "disk").glob(".lock*"))


def test_one_at_a_time_though_the_file_comes_and_goes(tmp_path):
    """Removed and made anew all the time: two must never hold it at once."""
    inside, most, entered = [0], [0], [0]
    guard = threading.Lock()

    def go_in_and_out():
        for _ in range(300):
            try:
                with locked(tmp_path / "out"):
                    with guard:
                        inside[0] += 1
                        entered[0] += 1
                        most[0] = max(most[0], inside[0])
                    with guard:
                        inside[0] -= 1
            except OutputError:
                continue

    threads = [threading.Thread(target=go_in_and_out) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert entered[0] > 100
    assert not list(tmp_path.rglob(LOCK))


@pytest.mark.parametrize("text", ["", "[" * 3000, '{"pid": 1}', "null"])
def test_a_holder_that_has_not_said_who_it_is(tmp_path, text):
    with locked(tmp_path):
        (tmp_path / LOCK).write_text(text)
        with (
            pytest.raises(OutputError, match="another process of lungcli"),
            locked(tmp_path),
        ):
            pass


def test_the_holder_is_written_for_people_too(tmp_path):
    with locked(tmp_path):
        holder = json.loads((tmp_path / LOCK).read_text())
    assert holder["pid"] == os.getpid()
    assert holder["command"].startswith("lungcli")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_it_goes_without(tmp_path, monkeypatch, number):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with locked(tmp_path):
        (tmp_path / "a").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_on_windows_it_goes_without(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with locked(tmp_path), locked(tmp_path):
        assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"cannot write .*file.*--out"),
        locked(tmp_path / "file" / "out"),
    ):
        pass


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "out" / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match="cannot write"), locked(tmp_path / "out"):
        pass
    assert Path(tmp_path / "precious").read_text() == "kept"


def test_no_password_or_signature_is_left_in_the_lock(tmp_path, monkeypatch):
    web = "https://host/a.png?X-Amz-Signature=beef"
    monkeypatch.setattr(
        sys, "argv", ["lungcli", "predict", web, "--out=s3://key:secret@bucket/ward"]
    )
    with locked(tmp_path):
        command = json.loads((tmp_path / LOCK).read_text())["command"]
    assert command == "lungcli predict https://host/a.png --out=s3://bucket/ward"


def test_a_folder_that_can_never_be_made_is_an_error(tmp_path, monkeypatch):
    """As below /proc, where making one answers that there is no such file."""

    def refuse(self, *arguments, **options):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with (
        pytest.raises(OutputError, match=r"cannot write .*out \(No such file.*--out"),
        locked(tmp_path / "out"),
    ):
        pass


def test_all_folders_made_in_vain_are_removed(tmp_path):
    with locked(tmp_path / "runs" / "a"):
        assert (tmp_path / "runs" / "a").is_dir()
    assert not list(tmp_path.iterdir())
    (tmp_path / "runs").mkdir()
    with locked(tmp_path / "runs" / "a"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
