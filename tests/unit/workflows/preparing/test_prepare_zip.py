"""`prepare` on zip archives: as on the folder that was packed."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from lungcli.data.case import Issue
from lungcli.errors import DatasetError
from lungcli.phantom import write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


@pytest.fixture
def source(tmp_path):
    write_montgomery(tmp_path / "MontgomerySet", count=6, size=64)
    return tmp_path / "MontgomerySet"


def packed(folder, path, *, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{inside}{file.relative_to(folder.parent)}")
        archive.writestr("__MACOSX/._a", b"")
        archive.writestr(".hidden/x.png", b"")
    return path


def run(source, out):
    settings = PrepareSettings(out=out, size=64, workers=1)
    return prepare([source], settings=settings)


def bytes_of(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_bytes_as_of_the_folder(source, tmp_path):
    run(source, tmp_path / "a")
    run(packed(source, tmp_path / "set.zip"), tmp_path / "b")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_findings_name_the_archive(source, tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(source / "CXR_png" / "tiny.png")
    archive = packed(source, tmp_path / "set.zip")
    report = run(archive, tmp_path / "p")
    (finding,) = (f for f in report.findings if f.issue is Issue.TOO_SMALL)
    assert finding.path == archive / "MontgomerySet/CXR_png/tiny.png"
    assert str(finding.path) in finding.detail
    assert "lungcli-" not in finding.detail


def test_errors_name_the_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes/a.txt", b"x")
    with pytest.raises(DatasetError, match=r"in .*a\.zip or two levels below"):
        run(tmp_path / "a.zip", tmp_path / "p")


@pytest.mark.parametrize("name", ["../out.png", "/out.png"])
def test_nothing_climbs_out(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(DatasetError, match="leads out of the archive"):
        run(tmp_path / "a.zip", tmp_path / "p")
    assert not (tmp_path.parent / "out.png").exists()
