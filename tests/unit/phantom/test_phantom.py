"""Phantoms look like a chest in every way that a number can tell."""

import itertools

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.anatomy import BACKGROUND
from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom import draw_phantom, write_montgomery
from lungcli.phantom.patient import draw_patient

SEEDS = range(6)
SMALL = 128


@pytest.fixture(scope="module")
def phantoms():
    return [draw_phantom(seed, SMALL) for seed in SEEDS]


def columns(mask):
    return np.nonzero(mask)[1]


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_shapes_and_labels(phantoms):
    for phantom in phantoms:
        assert phantom.image.shape == phantom.labels.shape == (SMALL, SMALL)
        assert phantom.image.dtype == phantom.labels.dtype == np.uint8
        assert set(np.unique(phantom.labels)) == {BACKGROUND, RIGHT, LEFT}


def test_same_seed_same_bytes(phantoms):
    again = draw_phantom(0, SMALL)

    np.testing.assert_array_equal(again.image, phantoms[0].image)
    np.testing.assert_array_equal(again.labels, phantoms[0].labels)


def test_other_seed_other_patient(phantoms):
    for one, other in itertools.pairwise(phantoms):
        assert dice(one.labels > 0, other.labels > 0) < 0.99
        assert (one.image != other.image).mean() > 0.5


def test_right_lung_lies_on_the_left_of_the_picture(phantoms):
    for phantom in phantoms:
        right, left = (columns(phantom.labels == side) for side in (RIGHT, LEFT))
        assert right.max() < left.min()


def test_each_lung_is_one_region(phantoms):
    for phantom in phantoms:
        for side in (RIGHT, LEFT):
            assert ndimage.label(phantom.labels == side)[1] == 1


def test_each_lung_has_a_plausible_area(phantoms):
    shares = [
        (phantom.labels == side).mean()
        for phantom in phantoms
        for side in (RIGHT, LEFT)
    ]

    assert min(shares) > 0.05
    assert max(shares) < 0.25


def test_lungs_are_darker_than_what_lies_between(phantoms):
    for phantom in phantoms:
        lungs = phantom.labels > 0
        rows = slice(SMALL // 3, SMALL // 2)
        middle = slice(
            columns(phantom.labels == RIGHT).max(),
            columns(phantom.labels == LEFT).min() + 1,
        )
        assert phantom.image[lungs].mean() + 30 < phantom.image[rows, middle].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_right_dome_is_higher(seed):
    abdomen = draw_patient(np.random.default_rng(seed)).outlines.abdomen

    assert abdomen[RIGHT][:, 1].min() < abdomen[LEFT][:, 1].min()


def test_findings_occur():
    found = {
        draw_patient(np.random.default_rng(seed)).disease.finding for seed in range(60)
    }

    assert found == {
        "normal",
        "patchy opacity",
        "solitary nodule",
        "pleural effusion",
    }


@pytest.mark.parametrize("size", [256, 1024])
def test_sizes_show_the_same_patient(size):
    reference, other = draw_phantom(7, 512), draw_phantom(7, size)

    for side in (RIGHT, LEFT):
        shares = [shrunk(phantom.labels == side) for phantom in (reference, other)]
        assert dice(shares[0] >= 0.5, shares[1] >= 0.5) > 0.97
    films = [shrunk(phantom.image) for phantom in (reference, other)]
    assert np.abs(films[0] - films[1]).mean() < 4.0


def shrunk(values, side=128):
    step = len(values) // side
    return values.reshape(side, step, side, step).mean(axis=(1, 3))


@pytest.mark.parametrize(("seed", "size"), [(0, 31), (-1, 64)])
def test_impossible_phantom(seed, size):
    with pytest.raises(ValueError, match=f"size {size} must be >= 32 and seed {seed}"):
        draw_phantom(seed, size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "set"
    write_montgomery(folder, count=12, seed=3, size=64, workers=1)
    return folder


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_layout_is_that_of_the_nlm(folder):
    names = sorted(path.name for path in (folder / "CXR_png").iterdir())

    assert len(names) == 12
    assert [name[:13] for name in names[:2]] == ["PHANTOM_0001_", "PHANTOM_0002_"]
    for side in ("leftMask", "rightMask"):
        masks = sorted((folder / "ManualMask" / side).iterdir())
        assert [path.name for path in masks] == names
        assert set(np.unique(np.asarray(Image.open(masks[0])))) == {0, 255}
    readings = sorted(path.stem for path in (folder / "ClinicalReadings").iterdir())
    assert [f"{stem}.png" for stem in readings] == names


def test_mask_files_are_named_after_the_patients_sides(folder):
    left, right = (
        np.asarray(Image.open(min((folder / "ManualMask" / side).iterdir())))
        for side in ("leftMask", "rightMask")
    )

    assert columns(right).max() < columns(left).min()


def test_reading_says_what_the_name_says(folder):
    for path in (folder / "ClinicalReadings").iterdir():
        sex, age, finding = path.read_text(encoding="utf-8").splitlines()
        assert sex in ("Patient's Sex: F", "Patient's Sex: M")
        assert age.startswith("Patient's Age: 0")
        assert age.endswith("Y")
        assert (finding == "normal") == path.stem.endswith("_0")


def test_bytes_do_not_depend_on_the_number_of_workers(folder, tmp_path):
    seen = []
    write_montgomery(
        tmp_path / "set",
        count=12,
        seed=3,
        size=64,
        workers=2,
        progress=lambda task, done, total: seen.append((task, done, total)),
    )

    assert contents(tmp_path / "set") == contents(folder)
    assert seen == [("draw phantoms", done, 12) for done in range(13)]


def test_other_seed_other_set(folder, tmp_path):
    write_montgomery(tmp_path / "set", count=1, seed=4, size=64, workers=1)
    images = {path.read_bytes() for path in (folder / "CXR_png").iterdir()}

    (image,) = (tmp_path / "set" / "CXR_png").iterdir()
    assert image.read_bytes() not in images
