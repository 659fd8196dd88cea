import io
import os
import pickle
import stat
import sys
import zlib
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from lungcli.data.images import TooSmallError
from lungcli.data.inputs import Input, find_inputs
from lungcli.errors import DatasetError, ImageError

DICOM = bytes(128) + b"DICM" + bytes(20)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names, content=b"x"):
    for name in names:
        path = Path(os.fsdecode(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def find(*given, stdin=(), out="masks"):
    return find_inputs([str(each) for each in given], stdin=stdin, out=Path(out))


def names(*given, **how):
    return [str(item.name) for item in find(*given, **how)]


class TestFiles:
    def test_a_file_goes_directly_into_the_output_folder(self, here):
        touch("ward/a.png")
        (item,) = find("ward/a.png")
        assert item == Input(
            shown="ward/a.png", name=PurePosixPath("a.png"), path=Path("ward/a.png")
        )

    def test_a_named_file_may_have_any_suffix(self, here):
        touch("a.jp2", ".hidden.png", "IM1")
        assert names("a.jp2", ".hidden.png", "IM1") == ["a.jp2", ".hidden.png", "IM1"]

    def test_the_order_given_is_kept(self, here):
        touch("b.png", "a.png")
        assert names("b.png", "a.png") == ["b.png", "a.png"]

    @pytest.mark.parametrize("name", ["a[1].png", "a?.png", "a*.png", "[ab]/x.png"])
    def test_a_name_that_exists_is_no_pattern(self, here, name):
        touch(name, "a1.png", "a/x.png")
        assert names(name) == [Path(name).name]

    def test_missing(self, here):
        with pytest.raises(DatasetError, match=r"nowhere does not exist\. Name image"):
            find("nowhere")

    @pytest.mark.parametrize("name", ["x" * 300, "", "a\0b"])
    def test_a_name_that_cannot_be(self, here, name):
        with pytest.raises(DatasetError, match="does not exist"):
            find(name)

    @POSIX
    def test_a_link_to_nothing_is_missing(self, here):
        Path("a.png").symlink_to("gone.png")
        with pytest.raises(DatasetError, match=r"a\.png does not exist"):
            find("a.png")

    @POSIX
    def test_a_pipe_is_left_to_fail_by_itself(self, here):
        os.mkfifo("pipe.zip")
        assert names("pipe.zip") == ["pipe.zip"]

    @POSIX
    def test_a_name_that_is_not_utf8(self, here):
        touch(b"caf\xe9.png", b"in/caf\xe9.png")
        name = os.fsdecode(b"caf\xe9.png")
        assert names(name) == [name]
        assert names("in") == [name]
        lines = [b"caf\xe9.png\n"]
        assert names("-", stdin=lines) == [name]
        stream = io.TextIOWrapper(io.BytesIO(lines[0]), encoding="utf-8")
        assert names("-", stdin=stream) == [name]

    def test_local_is_the_file_itself(self, here):
        touch("a.png")
        (item,) = find("a.png")
        with item.local() as path:
            assert path == Path("a.png")
        assert path.is_file()

    def test_state_changes_with_the_file(self, here):
        touch("a.png")
        (item,) = find("a.png")
        before = item.state()
        assert before == item.state()
        assert before["size"] == 1
        os.utime("a.png", ns=(0, 12345))
        assert item.state() == {"size": 1, "mtime_ns": 12345}
        Path("a.png").unlink()
        assert item.state() == {}


class TestFolders:
    def test_all_below_sorted_and_hidden_left_out(self, here):
        touch("in/b.png", "in/a/2.JPG", "in/a/10.dcm", "in/a-b/x.img", "in/c.DICOM")
        touch("in/.x.png", "in/.git/x.png", "in/.part-a.png", "in/notes.txt")
        assert names("in") == ["a/10.dcm", "a/2.JPG", "a-b/x.img", "b.png", "c.DICOM"]
        assert find("in")[0].path == Path("in/a/10.dcm")

    def test_the_folder_itself(self, here, monkeypatch):
        touch("in/a.png", "in/masks/a.png", "in/masks/deep/b.png")
        monkeypatch.chdir(here / "in")
        assert names(".") == ["a.png"]
        assert names("..") == ["in/a.png"]

    def test_dicom_without_a_suffix(self, here):
        touch("in/IM1", "in/1.2.840.7", "in/DICOMDIR", "in/a.txt", content=DICOM)
        touch("in/README", "in/1.5", content=bytes(10))
        assert names("in") == ["1.2.840.7", "IM1"]

    def test_what_cannot_be_opened_is_not_taken_for_dicom(self, here, monkeypatch):
        def refuse(self, mode):
            raise PermissionError(13, "Permission denied")

        touch("in/IM1", "in/a.dcm", content=DICOM)
        monkeypatch.setattr(Path, "open", refuse)
        assert names("in") == ["a.dcm"]

    def test_a_folder_without_images(self, here):
        touch("in/a.zip", "in/notes.txt")
        with pytest.raises(DatasetError, match=r"no image in in \(.*\.dcm.*archives"):
            find("in")

    @pytest.mark.parametrize("out", ["in", ".", "in/../in"])
    def test_the_output_folder_must_not_hold_the_input(self, here, out):
        touch("in/a.png")
        with pytest.raises(DatasetError, match=r"--out .* holds the input in"):
            find("in", out=out)

    @POSIX
    def test_links_are_followed_once_and_circles_end(self, here):
        touch("in/z/a.png", "out/b.png", "c.png")
        Path("in/a").symlink_to("z")  # both lead to a.png, which really lies in z
        Path("in/z/up").symlink_to("..")
        Path("in/far").symlink_to(here / "out")
        Path("in/me").symlink_to("me")
        Path("in/c.png").symlink_to("../c.png")
        Path("in/gone.png").symlink_to("gone")
        assert names("in") == ["c.png", "far/b.png", "z/a.png"]

    @POSIX
    def test_pipes_are_skipped(self, here):
        touch("in/a.png")
        os.mkfifo("in/b.png")
        os.mkfifo("in/pipe")
        assert names("in") == ["a.png"]

    def test_a_folder_that_cannot_be_listed_is_named(self, here, monkeypatch):
        touch("in/deep/a.png")
        scandir = os.scandir

        def refuse(path):
            if Path(path).name == "deep":
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        message = r"cannot search in/deep \(Permission denied\)\. Check"
        with pytest.raises(DatasetError, match=message):
            find("in")

    def test_a_file_is_taken_once(self, here):
        touch("in/a.png", "in/b.png")
        again = ["in", "in/a.png", "./in", here / "in" / "b.png", "in/*.png"]
        assert names(*again) == ["a.png", "b.png"]

    @POSIX
    def test_a_file_reached_through_a_linked_folder_is_taken_once(self, here):
        touch("in/a.png")
        Path("link").symlink_to("in")
        assert names("link/a.png", "in") == ["a.png"]
        Path("in/b.png").symlink_to("a.png")  # another name is another X-ray
        assert names("in") == ["a.png", "b.png"]


class TestPatterns:
    def test_below_the_last_folder_without_a_star(self, here):
        touch("d/1/x.png", "d/2/x.png", "d/2/x.txt", "d/2/.x.png", "y.png")
        assert names("d/*/x.*") == ["1/x.png", "2/x.png"]
        assert names(here / "d/?/*") == ["1/x.png", "2/x.png"]
        assert names("*.png") == ["y.png"]
        assert names("d/2/.*") == [".x.png"]

    def test_folders_and_archives(self, here):
        touch("w1/a.png", "w2/deep/a.png", "w3/notes.txt")
        with ZipFile("w4.zip", "w") as archive:
            archive.writestr("a.png", b"x")
        assert names("w*") == ["w1/a.png", "w2/deep/a.png", "w4/a.png"]

    def test_two_stars(self, here):
        touch("d/a.png", "d/b/c/a.png", "d/b/c/a.dcm", "d/masks/a.png", "d/.h/a.png")
        assert names("d/**/*.png", out="d/masks") == ["a.png", "b/c/a.png"]
        assert names("d/**", out="d/masks") == ["a.png", "b/c/a.dcm", "b/c/a.png"]
        assert names("**/c/") == ["d/b/c/a.dcm", "d/b/c/a.png"]

    def test_brackets_in_a_folder_that_exists(self, here):
        touch("s[2020]/a.png", "s2/b.png")
        assert names("s[2020]/*.png") == ["a.png"]
        assert names("s[2]/*.png") == ["s2/b.png"]

    @POSIX
    def test_circles_end(self, here):
        touch("d/a.png")
        Path("d/up").symlink_to(".")
        Path("d/up2").symlink_to(".")
        assert names("d/**/*.png") == ["a.png"]

    @pytest.mark.parametrize("pattern", ["*.png", "d/*", "[a", "s[2020]/a.png"])
    def test_no_match(self, here, pattern):
        touch("d/notes.txt", "s[2020]/b.png")
        with pytest.raises(DatasetError, match="does not exist"):
            find(pattern)

    def test_no_pattern_climbs(self, here):
        touch("d/e/a.png", "a.png")
        assert names("d/../d/*/*.png") == ["e/a.png"]
        with pytest.raises(DatasetError, match=r"d/\*/\.\./\.\./a\.png goes up"):
            find("d/*/../../a.png")

    def test_no_pattern(self, here, monkeypatch):
        def refuse(self, pattern):
            raise ValueError("odd")  # which patterns do so depends on Python

        monkeypatch.setattr(Path, "glob", refuse)
        with pytest.raises(DatasetError, match=r"a\*\* is no pattern .*odd"):
            find("a**")


class TestList:
    def test_below_the_folder_that_holds_all(self, here):
        touch("d/1/x.png", "d/2/x.png", "d/2/y.dcm", "e/f.png")
        lines = [b"d/1/x.png\r\n", "", " \n", f"{here}/d/2/x.png\n"]
        assert names("-", stdin=lines) == ["1/x.png", "2/x.png"]
        assert names("-", stdin=["d/2\n"]) == ["x.png", "y.dcm"]
        assert names("-", stdin=["d/1\n", "e/f.png"]) == ["d/1/x.png", "e/f.png"]
        assert names("-", stdin=["\ufeffd/1/x.png"]) == ["x.png"]

    def test_names_are_exact_and_no_patterns(self, here):
        touch(" a.png", "-", "[b].png")
        lines = [" a.png\n", "-\n", "[b].png"]
        assert names("-", stdin=lines) == [" a.png", "-", "[b].png"]
        with pytest.raises(DatasetError, match=r"line 2 of the list.*\*\.png does not"):
            find("-", stdin=["-\n", "*.png\n"])

    def test_empty(self):
        with pytest.raises(DatasetError, match="the list on stdin is empty"):
            find("-", stdin=["\n"])

    def test_several_drives(self, here, monkeypatch):
        def refuse(paths):
            raise ValueError("Paths don't have the same drive")

        touch("a.png")
        monkeypatch.setattr(os.path, "commonpath", refuse)
        with pytest.raises(DatasetError, match="several drives"):
            find("-", stdin=["a.png"])


class TestMembers:
    @pytest.fixture
    def item(self, here):
        with ZipFile("x.zip", "w") as archive:
            archive.writestr("ward/a.DCM", DICOM)
        (item,) = find("x.zip")
        return item

    def test_names(self, item):
        assert item.shown == "x.zip/ward/a.DCM"
        assert item.name == PurePosixPath("x/ward/a.DCM")
        assert pickle.loads(pickle.dumps(item)) == item  # noqa: S301 - our own bytes

    def test_local_is_a_private_copy(self, item):
        with item.local() as path:
            assert path.suffix == ".DCM"
            assert path.read_bytes() == DICOM
            if sys.platform != "win32":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()

    @pytest.mark.parametrize("kind", [ImageError, TooSmallError])
    def test_errors_name_the_member(self, item, kind):
        with pytest.raises(kind, match=r"^x\.zip/ward/a\.DCM is bad\. Cut") as caught:
            fail_to_read(item, kind)
        assert type(caught.value) is kind

    def test_the_copy_goes_whatever_happens(self, item):
        def stop():
            with item.local() as path:
                paths.append(path)
                raise KeyboardInterrupt

        paths = []
        with pytest.raises(KeyboardInterrupt):
            stop()
        assert not paths[0].exists()

    def test_state(self, item):
        assert item.state() == {"size": len(DICOM), "crc": zlib.crc32(DICOM)}
        Path("x.zip").unlink()
        assert item.state() == {}


def fail_to_read(item, kind):
    with item.local() as path:
        msg = f"{path} is bad. Cut {path.name}."
        raise kind(msg)
