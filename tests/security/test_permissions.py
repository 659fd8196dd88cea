"""Who may read what lungcli writes, and what a stranger cannot make it overwrite."""

import os
import stat
import subprocess
import sys
import tempfile

import pytest
from PIL import Image

from lungcli.errors import OutputError
from lungcli.phantom import draw_phantom, write_montgomery
from lungcli.system.files import whole_file, whole_folder, write_text
from lungcli.system.spool import Spool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(
    ("mask", "file_mode", "folder_mode"),
    [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o027, 0o640, 0o750)],
)
def test_the_umask_decides(tmp_path, umask, mask, file_mode, folder_mode):
    umask(mask)
    write_text(tmp_path / "new" / "a.txt", "a")
    assert mode_of(tmp_path / "new" / "a.txt") == file_mode
    assert mode_of(tmp_path / "new") == folder_mode
    with whole_folder(tmp_path / "folder") as part:
        assert mode_of(part) == folder_mode
    assert mode_of(tmp_path / "folder") == folder_mode


def test_every_file_of_predict(tmp_path, make_model):
    model = make_model(tmp_path / "model")
    Image.fromarray(draw_phantom(9, 96).image).save(tmp_path / "chest.png")
    formats = "png,nifti,rle,coco,npz,overlay,csv"
    command = [sys.executable, "-m", "lungcli", "predict", "chest.png", "--review"]
    subprocess.run(
        [*command, "--model", model, "--format", formats],
        cwd=tmp_path,
        check=True,
        umask=0o077,
        capture_output=True,
    )
    modes = {path.name: mode_of(path) for path in (tmp_path / "masks").iterdir()}
    assert len(modes) >= 9
    assert set(modes.values()) == {0o600}, modes


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path):
    """Anybody may write in the output folder, and knows the name that will be used."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    with whole_file(tmp_path / "a.txt") as part:
        name = part.name
    (tmp_path / name).symlink_to(precious)
    write_text(tmp_path / "a.txt", "new")
    assert precious.read_text() == "mine"
    assert (tmp_path / "a.txt").read_text() == "new"
    assert not (tmp_path / "a.txt").is_symlink()
    assert not (tmp_path / name).exists()


def test_a_link_to_nowhere_makes_no_file_there(tmp_path):
    (tmp_path / ".part-a.txt").symlink_to(tmp_path / "elsewhere")
    write_text(tmp_path / "a.txt", "new")
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_in_place_of_the_temporary_folder_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "a").touch()
    (tmp_path / ".part-folder").symlink_to("precious")
    with whole_folder(tmp_path / "folder") as part:
        (part / "b").touch()
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["a"]


def test_a_race_for_the_temporary_file_is_lost_loudly(tmp_path, monkeypatch):
    """Somebody sets the link between its removal and the new file."""
    path_type = type(tmp_path)
    unlink = path_type.unlink

    def too_late(self, missing_ok=False):
        unlink(self, missing_ok=missing_ok)
        self.symlink_to(tmp_path / "precious")

    monkeypatch.setattr(path_type, "unlink", too_late)
    with pytest.raises(OutputError, match="File exists"):
        write_text(tmp_path / "a.txt", "new")
    assert not (tmp_path / "precious").exists()


def test_what_waits_until_the_end_is_private(tmp_path, make_model, invoke, monkeypatch):
    """Pictures of patients wait in the folder that all users of a machine share."""
    monkeypatch.chdir(tmp_path)
    write_montgomery(tmp_path / "source", count=4, size=96, workers=1)
    model = make_model(tmp_path / "model")
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    seen, append = [], Spool.append

    def note(spool, item):
        append(spool, item)
        seen.append([mode_of(path) for path in shared.iterdir()])

    monkeypatch.setattr(Spool, "append", note)
    invoke("prepare", "source", "--workers", 1)
    common = ("--model", model, "--split", "all")
    invoke("evaluate", *common, "--any-convention", "--out", "scores")
    invoke("visualize", *common, "--out", "pictures", "--gif")
    assert len(seen) >= 8  # four cases, twice
    assert not any(mode & 0o077 for modes in seen for mode in modes)
    assert not list(shared.iterdir())
