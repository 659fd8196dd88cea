"""Masks of other tools: found by name, read whatever their encoding."""

import numpy as np
import pytest
from PIL import Image

from lungcli.arrays import LEFT, RIGHT
from lungcli.data.other_masks import open_masks, read_labels
from lungcli.errors import DatasetError, ImageError


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def two_lungs():
    labels = np.zeros((40, 60), np.uint8)
    labels[5:35, 8:22] = RIGHT
    labels[5:35, 38:52] = LEFT
    return labels


@pytest.mark.parametrize(
    "name", ["a.png", "a_mask.png", "a.TIF", "deep/er/a.bmp", "set/a_mask.gif"]
)
def test_a_mask_is_found_by_its_name(tmp_path, name):
    path = save(tmp_path / name, two_lungs())
    masks = open_masks(tmp_path)
    assert masks.find_all({"case": ["a"]}) == {"case": path}
    assert masks.find_all({"case": ["b", "a"]}) == {"case": path}
    assert masks.find_all({"case": ["b"]}) == {}


def test_a_path_says_which_of_two_is_meant(tmp_path):
    mine = save(tmp_path / "jsrt" / "a.png", two_lungs())
    save(tmp_path / "shenzhen" / "a.png", two_lungs())
    masks = open_masks(tmp_path)
    assert masks.find_all({"case": ["jsrt/a", "a"]}) == {"case": mine}
    with pytest.raises(DatasetError, match=r"both are called a\. Name a folder"):
        masks.find_all({"case": ["a"]})


@pytest.mark.parametrize("others", [[], ["c/1.png", "d/1.png"]])
def test_the_mask_of_one_case_is_not_taken_for_another_of_the_same_name(
    tmp_path, others
):
    for name in ("a/1.png", *others):
        save(tmp_path / name, two_lungs())
    cases = {f"{folder}/1": [f"{folder}/1", "1"] for folder in "dcba"}
    found = open_masks(tmp_path).find_all(cases)
    assert set(found) == {name.removesuffix(".png") for name in ("a/1.png", *others)}
    assert all(path.parent.name == case[0] for case, path in found.items())


def test_a_file_with_the_name_of_two_cases_is_refused(tmp_path):
    save(tmp_path / "1.png", two_lungs())
    cases = {"a/1": ["a/1", "1"], "b/1": ["b/1", "1"]}
    with pytest.raises(DatasetError, match=r"of a/1 and of b/1\. Lay .*as b/1\.png"):
        open_masks(tmp_path).find_all(cases)


def test_a_surer_name_of_a_later_case_comes_first(tmp_path):
    first, second = (save(tmp_path / f"{n}.png", two_lungs()) for n in ("1", "1-2"))
    cases = {"b/1": ["b/1", "1-2", "1"], "a/1": ["a/1", "1", "1"]}
    assert open_masks(tmp_path).find_all(cases) == {"a/1": first, "b/1": second}


def test_names_with_accents_are_the_same_however_they_are_stored(tmp_path):
    path = save(tmp_path / "mu\u0308ller.png", two_lungs())  # as some disks keep it
    assert open_masks(tmp_path).find_all({"c": ["m\u00fcller"]}) == {"c": path}


def test_hidden_files_and_other_files_are_left_alone(tmp_path):
    save(tmp_path / ".cache" / "a.png", two_lungs())
    save(tmp_path / "._a.png", two_lungs())
    (tmp_path / "a.txt").write_text("no mask")
    with pytest.raises(DatasetError, match=r"no masks in .*They may be \.nii\.gz"):
        open_masks(tmp_path)


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(DatasetError, match="no folder"):
        open_masks(tmp_path / "none")


def test_labels_are_read_as_they_are(tmp_path):
    path = save(tmp_path / "a.png", two_lungs())
    assert np.array_equal(read_labels(path), two_lungs())


def test_swapped_labels_stay_swapped(tmp_path):
    swapped = (3 - two_lungs()) * (two_lungs() > 0)
    path = save(tmp_path / "a.png", swapped.astype(np.uint8))
    assert np.array_equal(read_labels(path), swapped)


def test_a_binary_mask_is_parted_by_where_the_lungs_lie(tmp_path):
    path = save(tmp_path / "a.png", (two_lungs() > 0).astype(np.uint8) * 255)
    assert np.array_equal(read_labels(path, (40, 60)), two_lungs())


def test_another_size_is_refused_with_both_sizes(tmp_path):
    path = save(tmp_path / "a.png", two_lungs())
    with pytest.raises(ImageError, match=r"60×40 pixels, its reference 512×256"):
        read_labels(path, (256, 512))
