"""What the machine refuses, in one line."""

import errno
import os

import pytest

from lungcli.cli.faults import fault_of_machine


def test_the_place_and_the_remedy_are_named():
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/a.png")
    said = "No space left on device: /data/a.png. Make room, or set TMPDIR"
    assert fault_of_machine(error).startswith(said)


def test_a_place_without_a_name():
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    assert "standard output or temporary file" in fault_of_machine(error)


def test_memory():
    assert "not enough memory" in fault_of_machine(MemoryError())


@pytest.mark.parametrize(
    "error", [OSError("no number"), FileNotFoundError(errno.ENOENT, "gone", "a")]
)
def test_what_the_machine_has_no_part_in_is_a_bug(error):
    assert fault_of_machine(error) is None


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENAMETOOLONG, "a shorter name"), (errno.ELOOP, "Links lead in a circle")],
)
def test_names_that_lead_nowhere(number, remedy):
    assert remedy in fault_of_machine(OSError(number, os.strerror(number), "a"))


def test_a_current_folder_that_was_removed(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    assert "the current folder no longer exists" in fault_of_machine(error)
