"""What is written of one X-ray, in every format."""

from pathlib import PurePosixPath

import numpy as np

from lungcli.outputs.labelled import LabelledXray
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
    parts = contributions(XRAY, FORMATS)
    assert set(parts) == set(TABLES)
    assert parts["csv"]["right.area_px"] == 200
    assert parts["rle"]["image_id"] == "ward/a.png"
    assert len(parts["coco"]["annotations"]) == 2
