import os
import re
import stat
import struct
import tempfile
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.data.inputs import archive, find_inputs
from lungcli.errors import DatasetError, ImageError, OutputError

DICOM = bytes(128) + b"DICM" + bytes(20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.zip"


def pack(path, *members, compression=ZIP_DEFLATED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal names
        with ZipFile(path, "w", compression) as file:
            for member in members:
                name, content = member if isinstance(member, tuple) else (member, b"x")
                file.writestr(name, content)


def patch(path, before, after, count=-1):
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after, count))


def inputs(path):
    return find_inputs([str(path)], stdin=(), out=path.parent / "masks")


def read(path):
    (item,) = inputs(path)
    with item.local() as copy:
        return copy.read_bytes()


def info(name, *, mode=0):
    member = ZipInfo(name)
    member.external_attr = mode << 16
    return member


def test_images_sorted_and_the_rest_left_out(path):
    pack(path, "b.png", "a/2.JPG", "a/10.dcm", "notes.txt", "__MACOSX/b.png", "._b.png")
    with ZipFile(path, "a") as file:
        file.mkdir("folder.png")
        file.writestr(".git/x.png", b"x")
        file.writestr("a/IM1", DICOM)
        file.writestr("a/DICOMDIR", DICOM)
        file.writestr("a/README", b"short")
    found = ["a/10.dcm", "a/2.JPG", "a/IM1", "b.png"]
    assert archive.image_members(path) == found
    assert [str(item.name) for item in inputs(path)] == [f"x/{name}" for name in found]


def test_names_from_finder_are_utf8_unsaid(path):
    pack(path, "größe.png")
    patch(path, b"\x00\x08\x08\x00", b"\x00\x00\x08\x00")
    assert archive.image_members(path) == ["größe.png"]
    assert read(path) == b"x"


def test_names_of_old_windows_programs(path):
    pack(path, "gr_e.png")
    patch(path, b"gr_e", b"gr\x94e")  # code page 437
    assert archive.image_members(path) == ["gröe.png"]
    assert read(path) == b"x"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../a.png", "leads out"),
        ("a/../../b.png", "leads out"),
        ("/etc/a.png", "leads out"),
        ("//host/a.png", "leads out"),
        ("C:/a.png", "leads out"),
        ("c:a.png", "leads out"),
        ("..\\a.png", "backslash"),
        ("ward\\a.png", "backslash"),
    ],
)
def test_names_that_climb_are_refused(path, name, problem):
    pack(path, "fine.png", name)
    message = f"{re.escape(f'{path}/{name}')} has a name .*{problem}.*Pack the archive"
    with pytest.raises(ImageError, match=message):
        read(path)


def test_what_hides_behind_a_null_byte_is_refused(path):
    pack(path, "a.png_b.exe")
    patch(path, b"a.png_b.exe", b"a.png\0b.exe")
    with pytest.raises(ImageError, match="null byte"):
        read(path)


@given(
    st.lists(st.sampled_from(["..", ".", "a", "/", "C:", "\\", ""]), max_size=5).map(
        "/".join
    )
)
def test_no_name_ever_climbs(start):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zip"
        pack(path, f"{start}/i.png" if start else "i.png")
        for item in inputs(path):
            if item.problem:
                return
            inside = (path.parent / item.name).resolve()
            assert inside.is_relative_to((path.parent / "x").resolve())


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(path, mode):
    pack(path, (info("a.png", mode=mode), b"/etc/passwd"))
    with pytest.raises(ImageError, match=r"a\.png is a link or a device"):
        read(path)


@pytest.mark.parametrize("name", ["a.png", "IM1"])
def test_encrypted_members_are_refused(path, name):
    pack(path, name)
    start = struct.pack("<HH", 20, 0)
    locked = struct.pack("<HH", 20, 1)
    patch(path, start, locked)
    with pytest.raises(ImageError, match=f"{name} is encrypted. Unpack"):
        read(path)


@pytest.mark.parametrize("names", [("a.png", "a.png"), ("a.png", "./a.png")])
def test_a_name_twice_is_refused(path, names):
    pack(path, *names)
    with pytest.raises(ImageError, match=r"x\.zip/a\.png is 2 times in the archive"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\5\6" + bytes(10)])
def test_broken_archives(path, content):
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.zip cannot be read as a zip archive"):
        read(path)


def test_a_broken_archive_stops_nothing_else(path):
    path.write_bytes(b"no archive")
    (path.parent / "a.png").write_bytes(b"x")
    given = [str(path), str(path.parent / "a.png")]
    broken, fine = find_inputs(given, stdin=(), out=path.parent / "masks")
    assert "cannot be read as a zip archive" in broken.problem
    assert broken.state() == {}
    assert not fine.problem


def test_an_archive_cut_short(path):
    pack(path, ("a.png", bytes(1000)))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match="cannot be read as a zip"):
        read(path)


def test_an_archive_without_images(path):
    pack(path, "notes.txt")
    with pytest.raises(DatasetError, match=r"no image in .*x\.zip \("):
        inputs(path)


def test_one_broken_member_is_its_own_failure(path):
    pack(path, ("a.png", b"0123456789"), ("b.png", b"fine"), compression=0)
    patch(path, b"0123456789", b"0123456780")
    broken, fine = inputs(path)
    with (
        pytest.raises(ImageError, match=r"x\.zip/a\.png cannot be unpacked \(Bad CRC"),
        broken.local(),
    ):
        pass
    with fine.local() as copy:
        assert copy.read_bytes() == b"fine"


def test_an_unknown_compression(path):
    pack(path, "a.png", compression=ZIP_BZIP2)
    with pytest.raises(ImageError, match=r"a\.png is packed by a method other than"):
        read(path)
    patch(path, struct.pack("<HHH", 46, 0, 12), struct.pack("<HHH", 46, 0, 99))
    with pytest.raises(ImageError, match=r"a\.png is packed by a method other than"):
        read(path)


def test_a_blank_image_may_pack_a_lot(path):
    pack(path, ("a.dcm", bytes(2**20)))
    assert len(read(path)) == 2**20


@pytest.fixture
def leftovers(tmp_path, monkeypatch):
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_bombs_are_known_by_their_ratio(path, monkeypatch):
    monkeypatch.setattr(archive, "_BLANK_BYTES", 10_000)
    for content in (bytes(10_000), os.urandom(100) + bytes(10_000)):
        pack(path, ("a.png", content))  # small, or less than 200 times as much
        assert read(path) == content
    pack(path, ("a.png", bytes(100_000)))
    with pytest.raises(ImageError, match=r"x\.zip/a\.png unpacks to more than any X-r"):
        read(path)


def test_bombs_are_known_by_their_size(path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 999)
    pack(path, ("a.png", os.urandom(1000)))
    with pytest.raises(ImageError, match="unpacks to more"):
        read(path)


def test_bytes_are_counted_whatever_the_archive_claims(path, leftovers, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 10_000)
    monkeypatch.setattr(archive, "_CHUNK", 1000)
    monkeypatch.setattr(archive, "_is_suspicious", lambda info: False)
    pack(path, ("a.png", bytes(50_000)))
    with pytest.raises(ImageError, match="unpacks to more"):
        read(path)
    assert list(leftovers.iterdir()) == []


def test_a_size_that_lies_does_not_get_through(path):
    pack(path, ("a.png", bytes(50_000)))
    patch(path, struct.pack("<I", 50_000), struct.pack("<I", 10))
    with pytest.raises(ImageError, match="Bad CRC"):
        read(path)


def test_a_full_disk_is_no_fault_of_the_image(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    pack(path, "a.png")
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(OutputError, match=r"a\.png .*No space left.*set TMPDIR"):
        read(path)


def test_the_copy_takes_no_suffix_from_a_stranger(path):
    pack(path, ("1.2.840", DICOM))
    (item,) = inputs(path)
    with item.local() as copy:
        assert copy.suffix == ""
        assert copy.read_bytes() == DICOM


def test_threads_read_one_archive(path):
    contents = {f"{i:03}.png": zlib.crc32(b"%d" % i).to_bytes(4) * i for i in range(99)}
    pack(path, *contents.items())
    start = threading.Barrier(4)

    def read_all(_):
        start.wait()
        found = {}
        for item in inputs(path):
            with item.local() as copy:
                found[item.member] = copy.read_bytes()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read_all, range(4))) == [contents] * 4


def test_the_index_is_not_read_anew_for_each_member(path, monkeypatch):
    pack(path, *(f"{i}.png" for i in range(50)))
    items = inputs(path)
    opened = []
    monkeypatch.setattr(archive, "_open", lambda p: opened.append(p) or ZipFile(p))
    for item in items:
        with item.local():
            item.state()
    assert opened == [path]


def test_an_archive_that_was_replaced_is_read_anew(path):
    pack(path, ("a.png", b"old"))
    assert read(path) == b"old"
    pack(path, ("a.png", b"newer"))
    assert read(path) == b"newer"
