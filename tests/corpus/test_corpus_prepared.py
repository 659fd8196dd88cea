"""Prepared data sets that somebody damaged, by accident or on purpose."""

import csv
import os
import re

import pytest
from bad_input import tables
from bad_input.data_sets import COLUMNS
from PIL import Image

from lungcli.data.prepared import CASES_CSV, DATASET_JSON, is_prepared, open_prepared
from lungcli.errors import DatasetError, ImageError, LungcliError


def use(root):
    """Read all that a command reads of a data set."""
    dataset = open_prepared(root)
    for case in dataset.select("all"):
        dataset.read_image(case)
        dataset.read_mask(case)
        dataset.read_reference(case)


def test_the_columns_are_those_that_are_written(copy_of_prepared):
    with (copy_of_prepared / CASES_CSV).open(newline="") as lines:
        assert tuple(next(csv.reader(lines))) == COLUMNS
    use(copy_of_prepared)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(text, says, id=name)
        for name, (text, says) in tables.damaged_tables().items()
    ],
)
def test_damaged_cases(text, says, tmp_path, copy_of_prepared):
    for folder in ("images", "masks", "references"):
        some = next((copy_of_prepared / folder).glob("*.png"))
        some.rename(copy_of_prepared / folder / "1.png")
    (tmp_path / "secret.png").write_bytes(
        (copy_of_prepared / "images/1.png").read_bytes()
    )
    (copy_of_prepared / CASES_CSV).write_text(text, encoding="utf-8", newline="")
    with pytest.raises(LungcliError) as caught:
        use(copy_of_prepared)
    said = str(caught.value)
    assert re.search(says, said), said
    assert str(copy_of_prepared) in said
    assert "lungcli prepare" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(text, says, id=name)
        for name, (text, says) in tables.damaged_facts().items()
    ],
)
def test_damaged_facts(text, says, copy_of_prepared):
    (copy_of_prepared / DATASET_JSON).write_text(text)
    with pytest.raises(DatasetError, match=says) as caught:
        open_prepared(copy_of_prepared)
    assert str(copy_of_prepared / DATASET_JSON) in str(caught.value)
    is_prepared(copy_of_prepared)


@pytest.mark.parametrize("name", [CASES_CSV, DATASET_JSON])
@pytest.mark.parametrize("target", ["/dev/zero", ""])
def test_pipes_and_devices_are_not_read(copy_of_prepared, name, target):
    path = copy_of_prepared / name
    path.unlink()
    if target:
        path.symlink_to(target)
    else:
        os.mkfifo(path)
    assert is_prepared(copy_of_prepared) == (name == CASES_CSV)
    with pytest.raises(DatasetError, match=r"pipe or a device|is missing"):
        open_prepared(copy_of_prepared)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        pytest.param(Image.new("L", (9000, 9000)), "of shape", id="larger"),
        pytest.param(Image.new("P", (96, 96)), "is P", id="palette"),
        pytest.param(Image.new("I;16", (96, 96)), "is I;16", id="deep"),
        pytest.param(Image.new("L", (96, 96), 7), "holds the label 7", id="labels"),
    ],
)
def test_other_images_than_were_written(copy_of_prepared, image, says):
    dataset = open_prepared(copy_of_prepared)
    case = dataset.select("all")[0]
    image.save(copy_of_prepared / case.mask)
    with pytest.raises(ImageError, match=says) as caught:
        dataset.read_mask(case)
    assert str(copy_of_prepared / case.mask) in str(caught.value)


def test_only_png_is_opened(copy_of_prepared):
    """Pillow starts Ghostscript for what is PostScript, whatever its name."""
    dataset = open_prepared(copy_of_prepared)
    case = dataset.select("all")[0]
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 96\n"
    (copy_of_prepared / case.image).write_bytes(page)
    with pytest.raises(ImageError, match="it is no PNG"):
        dataset.read_image(case)
