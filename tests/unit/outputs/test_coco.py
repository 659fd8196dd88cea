"""COCO annotations against pycocotools."""

import contextlib
import io
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as second
from pycocotools.coco import COCO

from lungcli.anatomy import STRUCTURES
from lungcli.outputs.coco import (
    coco_entry,
    encode_mask,
    write_coco,
)

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.integers(0, 2),
)


def load(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def check_against_second_implementation(mask):
    encoded = encode_mask(mask)
    expected = second.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encoded["counts"] == expected["counts"].decode()
    assert encoded["size"] == list(expected["size"])
    np.testing.assert_array_equal(second.decode(encoded).astype(bool), mask)


def test_edges(labels):
    check_against_second_implementation(labels == 1)


@given(labels=LABELS)
def test_any_mask(labels):
    check_against_second_implementation(labels > 0)


def test_long_runs_and_differences_below_0():
    mask = np.zeros((3000, 40), bool)
    mask[100:2900, 3:30] = True
    mask[1500, 5] = False
    mask[:, 35] = True
    check_against_second_implementation(mask)


def test_entry_by_hand(lungs, make_xray):
    entry = coco_entry(make_xray(lungs))
    assert entry.image == {"file_name": "ward/chest.png", "height": 40, "width": 50}
    right, left = entry.annotations
    assert (right["category_id"], left["category_id"]) == (1, 2)
    assert right["bbox"] == [5, 5, 15, 30]  # x, y, width, height
    assert left["bbox"] == [30, 8, 13, 22]
    assert (right["area"], left["area"]) == (15 * 30, 13 * 22)


def test_boxes_and_areas_agree_with_the_second_implementation(lungs, make_xray):
    for annotation in coco_entry(make_xray(lungs)).annotations:
        assert second.area(annotation["segmentation"]) == annotation["area"]
        box = second.toBbox(annotation["segmentation"])
        assert box.tolist() == annotation["bbox"]


def test_a_missing_lung_has_no_annotation(lungs, make_xray):
    lungs[lungs == 2] = 0
    (only,) = coco_entry(make_xray(lungs)).annotations
    assert only["category_id"] == 1
    assert coco_entry(make_xray(np.zeros_like(lungs))).annotations == []


def test_file_is_read_by_the_second_implementation(lungs, make_xray, tmp_path):
    maps = [lungs, np.zeros_like(lungs), np.flipud(lungs).copy()]
    entries = (
        coco_entry(make_xray(labels, name=f"{i}.png")) for i, labels in enumerate(maps)
    )
    coco = load(write_coco(entries, tmp_path / "out" / "coco.json"))
    assert coco.getAnnIds() == [1, 2, 5, 6]  # the second image has no lungs
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == [
        "0.png",
        "1.png",
        "2.png",
    ]
    for image_id, labels in enumerate(maps, start=1):
        found = np.zeros_like(labels)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image_id)):
            found[coco.annToMask(annotation) == 1] = annotation["category_id"]
        np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("count", [0, 1])
def test_few_images_without_lungs(count, make_xray, tmp_path):
    entries = [coco_entry(make_xray(np.zeros((4, 4), np.uint8)))] * count
    document = json.loads(write_coco(entries, tmp_path / "coco.json").read_text())
    assert len(document["images"]) == count
    assert document["annotations"] == []


def test_memory_does_not_grow_with_the_number_of_images(lungs, make_xray, tmp_path):
    entry = coco_entry(make_xray(lungs))

    def peak(count):
        tracemalloc.start()
        entries = (entry for _ in range(count))
        write_coco(entries, tmp_path / "coco.json")
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(1000) < peak(10) + 200_000  # the file itself has 480 kB


def test_nothing_is_left_of_a_call_that_failed(make_xray, tmp_path):
    def broken():
        yield coco_entry(make_xray(np.ones((3, 3), np.uint8)))
        raise KeyError

    with pytest.raises(KeyError):
        write_coco(broken(), tmp_path / "coco.json")
    assert list(tmp_path.iterdir()) == []


def test_a_heart_is_a_third_category(make_chest, chest, tmp_path):
    maps = [chest, np.where(chest == 3, 0, chest).astype(np.uint8), chest]
    entries = [
        coco_entry(make_chest(labels=labels, name=f"{i}.png"))
        for i, labels in enumerate(maps)
    ]
    coco = load(write_coco(entries, tmp_path / "coco.json", STRUCTURES))
    assert coco.loadCats(3) == [{"id": 3, "name": "heart", "supercategory": "heart"}]
    assert coco.getAnnIds() == [1, 2, 3, 4, 5, 7, 8, 9]  # no heart in the second
    (heart,) = coco.loadAnns(coco.getAnnIds(imgIds=1, catIds=[3]))
    assert heart["bbox"] == [20, 18, 10, 16]  # x, y, width, height
    assert heart["area"] == 160
    np.testing.assert_array_equal(coco.annToMask(heart) == 1, chest == 3)


def test_two_lungs_are_numbered_as_ever(lungs, make_xray, tmp_path):
    entries = [coco_entry(make_xray(lungs))] * 2
    document = json.loads(write_coco(entries, tmp_path / "coco.json").read_text())
    assert [each["id"] for each in document["categories"]] == [1, 2]
    assert [each["id"] for each in document["annotations"]] == [1, 2, 3, 4]
