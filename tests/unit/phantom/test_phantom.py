"""Phantoms look like a chest in every way that a number can tell."""

import csv
import hashlib
import itertools

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.anatomy import BACKGROUND
from lungcli.arrays import LEFT, RIGHT
from lungcli.data.prepared import open_prepared
from lungcli.phantom import draw_phantom, write_montgomery, write_structures
from lungcli.phantom.patient import draw_patient
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

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


def test_the_heart_lies_between_the_lungs(phantoms):
    for phantom in phantoms:
        heart = phantom.heart
        assert heart.shape == phantom.labels.shape
        assert heart.dtype == bool
        assert ndimage.label(heart)[1] == 1
        assert not phantom.labels[heart].any()
        assert 0.03 < heart.mean() < 0.12
        right, left = (columns(phantom.labels == side) for side in (RIGHT, LEFT))
        assert right.mean() < columns(heart).mean() < left.mean()
        lungs = columns(phantom.labels > 0)
        assert 0.3 < np.ptp(columns(heart)) / np.ptp(lungs) < 0.65  # the CTR
        middle = (lungs.min() + lungs.max()) / 2
        assert columns(heart).mean() > middle - 2  # it leans to the patient's left
        assert (phantom.all_labels == np.where(heart, 3, phantom.labels)).all()


@pytest.mark.parametrize("size", [256, 1024])
def test_sizes_show_the_same_heart(size):
    hearts = [shrunk(draw_phantom(7, s).heart) >= 0.5 for s in (512, size)]
    assert dice(*hearts) > 0.97


def test_the_pictures_did_not_change_when_the_heart_came(phantoms):
    digest = hashlib.sha256()
    for phantom in phantoms:
        digest.update(phantom.image.tobytes() + phantom.labels.tobytes())
    assert digest.hexdigest()[:16] == "10025ad29fa1f8a6"


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "Apart"
    write_structures(folder, count=5, seed=3, size=96, workers=1)
    return folder


def test_layout_is_a_folder_for_each_structure(structures):
    names = [f"phantom000{number}.png" for number in range(1, 6)]
    for name in ("images", "masks/right_lung", "masks/left_lung", "masks/heart"):
        assert sorted(path.name for path in (structures / name).iterdir()) == names
    with (structures / "cases.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [f"{row['case_id']}.png" for row in rows] == names
    assert {row["sex"] for row in rows} <= {"F", "M"}


def test_workers_write_the_same_structures(structures, tmp_path):
    write_structures(tmp_path / "set", count=5, seed=3, size=96, workers=2)
    assert contents(tmp_path / "set") == contents(structures)


def test_prepared_references_are_what_was_drawn(structures, tmp_path):
    out = tmp_path / "prepared"
    report = prepare([structures], settings=PrepareSettings(out=out, workers=1))
    (source,) = report.sources
    assert (source.layout, report.findings, report.notes) == ("structures", (), ())
    dataset = open_prepared(out)
    assert set(dataset.knowledge("apart").values()) == {"exact"}
    seeds = np.random.SeedSequence(3).generate_state(5, np.uint64)
    for case, seed in zip(dataset.cases, seeds, strict=True):
        phantom = draw_phantom(int(seed), 96)
        assert (dataset.read_reference(case) == phantom.all_labels).all()
        assert set(np.unique(dataset.read_mask(case))) == {0, 1, 2, 3}
        assert (case.finding, case.age) == (phantom.finding, str(phantom.age))
