"""The index of a disc given as input: the images that it lists are labelled."""

import shutil
from pathlib import Path

import pytest
from invoking import fails, invoke, table
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from lungcli.system.quiet import without_warnings

REAL = Path(__file__).parents[3] / "shared" / "data" / "dicom"


def record(kind, *place):
    found = Dataset()
    found.DirectoryRecordType = kind
    if place:
        found.ReferencedFileID = list(place)
    return found


def write_index(path, *records):
    index = Dataset()
    index.DirectoryRecordSequence = list(records)
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dcmwrite(path, index, enforce_file_format=True)


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason="the real X-rays are not here")
def test_the_images_of_a_disc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "disc" / "CXR" / "IM1"
    place.parent.mkdir(parents=True)
    shutil.copy(next(REAL.glob("RG1*.dcm")), place)
    write_index(
        tmp_path / "disc" / "DICOMDIR",
        record("PATIENT"),
        record("IMAGE", "CXR", "IM1"),
        record("IMAGE", "CXR", "IM2"),
    )
    invoke("predict", "disc/DICOMDIR", "--out", "m", status=3)  # IM2 is not there
    rows = {
        row["name"]: row["status"] for row in table(tmp_path / "m" / "predictions.csv")
    }
    assert rows == {"CXR/IM1": "ok", "CXR/IM2": "failed"}
    assert (tmp_path / "m" / "CXR" / "IM1.png").is_file()


def test_an_index_that_climbs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with without_warnings():
        write_index(tmp_path / "DICOMDIR", record("IMAGE", "..", "IM1"))
    error = fails(capsys, monkeypatch, "predict", "DICOMDIR")
    assert "no readable index of a disc" in error
    assert "Give the folder of the disc" in error


def test_no_index(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("DICOMDIR").write_bytes(b"nothing of the kind")
    error = fails(capsys, monkeypatch, "predict", "DICOMDIR")
    assert "no readable index of a disc" in error
