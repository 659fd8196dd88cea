"""What is written of one X-ray, in every format."""

import dataclasses
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from lungcli.anatomy import HEART as HEART_ROW
from lungcli.anatomy import LUNGS, STRUCTURES
from lungcli.outputs.labelled import LabelledXray
from lungcli.workflows.predicting import writing
from lungcli.workflows.predicting.formats import FORMATS, SUFFIXES, TABLES, output_names
from lungcli.workflows.predicting.writing import contributions, write_files

LABELS = np.zeros((40, 50), np.uint8)
LABELS[10:30, 5:15], LABELS[10:30, 30:45] = 1, 2
XRAY = LabelledXray(
    name=PurePosixPath("ward/a.png"),
    image=np.full((40, 50), 90, np.uint8),
    labels=LABELS,
)


def test_each_file_is_written_under_its_suffix(tmp_path):
    sizes = write_files(XRAY, tmp_path / "ward" / "a", FORMATS, model="m")
    assert set(sizes) == set(SUFFIXES.values()) - {"_seg.dcm"}  # it is no DICOM
    for suffix, size in sizes.items():
        assert (tmp_path / "ward" / f"a{suffix}").stat().st_size == size


def test_all_that_may_be_written_is_known(tmp_path):
    write_files(XRAY, tmp_path / "a", FORMATS, model="m")
    written = {path.name for path in tmp_path.iterdir()}
    assert set(output_names("a", FORMATS)) == written | {"a_seg.dcm"}
    assert output_names("ward/a", ["rle", "png"]) == ["ward/a.png"]


def test_every_table_has_a_contribution():
    parts = contributions(XRAY, FORMATS, drawn=XRAY)
    assert set(parts) == set(TABLES)
    assert parts["csv"]["right.area_px"] == 200
    assert parts["rle"]["image_id"] == "ward/a.png"
    assert len(parts["coco"]["annotations"]) == 2


HEART = LABELS.copy()
HEART[15:31, 18:28] = 3
CHEST = dataclasses.replace(XRAY, labels=HEART, structures=STRUCTURES)


def test_all_that_is_drawn_is_measured_whatever_is_written(monkeypatch):
    measured = []
    monkeypatch.setitem(
        writing._CONTRIBUTIONS, "csv", lambda xray: measured.append(xray) or {}
    )
    parts = contributions(CHEST.only(LUNGS), ["csv", "coco"], drawn=CHEST)
    assert measured == [CHEST]
    assert len(parts["coco"]["annotations"]) == 2


def test_the_overlay_of_a_heart_has_its_colour(tmp_path):
    write_files(CHEST, tmp_path / "a", ["overlay"], model="m")
    with Image.open(tmp_path / "a_overlay.png") as picture:
        drawn = (np.asarray(picture) == HEART_ROW.colour).all(axis=2)
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 30, 18, 27)
