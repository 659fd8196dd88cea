"""predict opens an X-ray once, and takes one hash of the weights."""

import hashlib
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting.predict import predict

_OPENED: list[str] = []
_watched: list[Path] = []


def _watch(event, arguments):
    if event == "open" and _watched and str(arguments[0]).startswith(str(_watched[0])):
        _OPENED.append(Path(arguments[0]).name)


sys.addaudithook(_watch)  # sees C code, too; for good, so it does nothing at most times


@pytest.fixture
def ward(tmp_path):
    """X-rays of several formats, whose openings are counted."""
    folder = tmp_path / "ward"
    folder.mkdir()
    pixels = draw_phantom(seed=1, size=128).image
    for name in ("a.png", "b.jpg", "c.tif", "d.bmp", "e.gif"):
        Image.fromarray(pixels).save(folder / name)
    dataset = Dataset()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(folder / "f.dcm", enforce_file_format=True)
    (folder / "IM1").write_bytes((folder / "f.dcm").read_bytes())
    _OPENED.clear()
    _watched.append(folder)
    yield folder
    _watched.clear()


def test_an_xray_is_opened_once(ward, tmp_path):
    done = predict([ward], "bundled-tiny", out=tmp_path / "out")
    assert done.labelled == 7
    # what has no suffix is looked into before, to find out whether it is DICOM
    opened = dict.fromkeys(("a.png", "b.jpg", "c.tif", "d.bmp", "e.gif"), 1)
    assert Counter(_OPENED) == opened | {"f.dcm": 1, "IM1": 2}


def test_the_weights_are_hashed_once(ward, tmp_path, monkeypatch):
    hashed, digest = [], hashlib.file_digest

    def count(file, *arguments):
        hashed.append(Path(file.name).name)
        return digest(file, *arguments)

    monkeypatch.setattr(hashlib, "file_digest", count)
    predict([ward / "a.png"], "bundled-tiny", out=tmp_path / "out")
    assert sorted(hashed) == [
        "best.weights.h5", "gate.json", "gate.onnx", "quality.json",
    ]  # fmt: skip
