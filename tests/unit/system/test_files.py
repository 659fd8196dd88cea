"""Whole files or none."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.errors import OutputError
from lungcli.system.files import (
    beside,
    csv_cell,
    printable,
    read_plain,
    text_of_cell,
    whole_file,
    whole_folder,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_whole(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "1\n")
    assert (tmp_path / "new" / "a.txt").read_text() == "1\n"
    assert names(tmp_path / "new") == ["a.txt"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with whole_file(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_temporary_name_keeps_every_suffix(tmp_path):
    with whole_file(tmp_path / "best.weights.h5") as part:
        assert part.name.endswith(".weights.h5")
        part.touch()


def test_folder_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "data"
    with whole_folder(path) as part:
        (part / "a").touch()
    with whole_folder(path) as part:
        (part / "b").touch()
        assert names(path) == ["a"]
    assert names(path) == ["b"]
    assert names(tmp_path) == ["data"]


def test_an_error_leaves_the_old_folder(tmp_path):
    path = tmp_path / "data"
    with whole_folder(path) as part:
        (part / "a").touch()

    def fail():
        with whole_folder(path) as part:
            (part / "b").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(path) == ["a"]
    assert names(tmp_path) == ["data"]


def test_a_kill_between_the_renames_is_mended(tmp_path):
    """The old folder was moved away, the new one not yet in place."""
    (tmp_path / ".old-data").mkdir()
    (tmp_path / ".old-data" / "a").touch()

    def fail():
        with whole_folder(tmp_path / "data"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path / "data") == ["a"]


def test_an_interrupt_between_the_renames_brings_the_old_folder_back(
    tmp_path, monkeypatch
):
    path = tmp_path / "data"
    path.mkdir()
    (path / "a").touch()
    rename = Path.rename

    def interrupted(self, target):
        if self.name == ".part-data":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)

    def replace():
        with whole_folder(path):
            pass

    with pytest.raises(KeyboardInterrupt):
        replace()
    assert names(path) == ["a"]
    assert names(tmp_path) == ["data"]


def test_leftovers_of_a_kill_are_removed(tmp_path):
    (tmp_path / ".part-data").mkdir()
    (tmp_path / ".part-data" / "half").touch()
    with whole_folder(tmp_path / "data") as part:
        assert not names(part)
    assert names(tmp_path) == ["data"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    for name in "ab":
        with whole_folder(tmp_path / "link") as part:
            (part / name).touch()
        assert names(tmp_path / "disk") == [name]
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path) == ["disk", "link"]


def test_a_link_to_nothing_yet(tmp_path):
    (tmp_path / "link").symlink_to("disk/data")
    with whole_folder(tmp_path / "link") as part:
        (part / "a").touch()
    assert names(tmp_path / "disk" / "data") == ["a"]


def test_leftovers_that_are_files_or_links(tmp_path):
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "me").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / ".old-data").symlink_to("keep")
    (tmp_path / ".part-data").touch()
    with whole_folder(tmp_path / "data") as part:
        (part / "a").touch()
    assert names(tmp_path) == ["data", "keep"]
    assert names(tmp_path / "keep") == ["me"]


def test_messages_name_the_path_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()

    def write():
        with whole_folder(Path("file/data")):
            pass

    with pytest.raises(OutputError, match=r"^cannot write file/data \("):
        write()


def test_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt .*--out"):
        write_text(tmp_path / "file" / "a.txt", "")


def test_nan_never_enters_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"dice": float("nan")})
    assert not (tmp_path / "a.json").exists()


@given(st.text() | st.text("'=+-@\t a1"))
def test_what_a_cell_holds_is_read_back(text):
    cell = csv_cell(text)
    assert text_of_cell(cell) == printable(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1.png", "'-1.png"),
        ("@SUM", "'@SUM"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("\n=1", "\\n=1"),
        ("a=1", "a=1"),
        ("", ""),
        (-1, -1),
        (-0.5, -0.5),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_cells(value, expected):
    assert csv_cell(value) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\x9b31m\u2028", r"\x9b31m\u2028"),
        ("grün-胸部-صدر\u200f 🫁", "grün-胸部-صدر\u200f 🫁"),
    ],
)
def test_what_would_not_show_as_itself_is_spelled_out(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_plain_files_are_read_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(2**10))
    assert read_plain(path, 2**10) == bytes(2**10)
    path.write_bytes(bytes(2**10 + 1))
    with pytest.raises(ValueError, match="larger than 1 KiB"):
        read_plain(path, 2**10)


def test_pipes_and_devices_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "device", "."):
        with pytest.raises(OSError, match="not a file"):
            read_plain(tmp_path / name, 100)


@pytest.mark.parametrize("letter", ["x", "é", "肺"])
def test_the_longest_name(tmp_path, letter):
    path = tmp_path / (letter * (251 // len(letter.encode())) + ".png")
    write_text(path, "whole")
    assert path.read_text() == "whole"
    assert len(names(tmp_path)) == 1
    with whole_folder(path.with_suffix(".dir")) as part:
        assert part.parent == tmp_path


def test_long_names_have_temporary_names_of_their_own():
    one, two = (beside(Path("x" * 250 + end), ".part-") for end in ("1.png", "2.png"))
    assert one != two
    assert one.suffix == ".png"
