"""Sources that come in `train/`, `val/` and `test/` stay split as they are."""

import csv

import numpy as np
import pytest
from PIL import Image

from lungcli.data.case import Issue
from lungcli.phantom import draw_phantom
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

FOLDERS = {"train": 4, "Valid": 2, "TEST": 2}


@pytest.fixture
def source(tmp_path):
    seed = 0
    for folder, count in FOLDERS.items():
        for _ in range(count):
            phantom = draw_phantom(seed=seed, size=64)
            for kind, pixels in (("images", phantom.image), ("masks", phantom.labels)):
                path = tmp_path / "set" / folder / kind / f"x{seed}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(path)
            seed += 1
    return tmp_path / "set"


def run(source, tmp_path, **settings):
    settings = PrepareSettings(
        out=tmp_path / "p", size=64, workers=1, check=False, **settings
    )
    report = prepare([source], settings=settings)
    with (tmp_path / "p" / "cases.csv").open() as file:
        return report, {row["case_id"]: row["split"] for row in csv.DictReader(file)}


def test_one_source_split_as_its_folders(source, tmp_path):
    report, splits = run(source, tmp_path)
    assert [each.name for each in report.sources] == ["set"]
    assert splits == {
        f"x{n}": s for n, s in enumerate(["train"] * 4 + ["val"] * 2 + ["test"] * 2)
    }
    assert any("--resplit draws anew" in note for note in report.notes)
    assert report.findings == ()


def test_resplit_draws_anew(source, tmp_path):
    _, splits = run(source, tmp_path, resplit=True, val=0.5, test=0.25, seed=3)
    counts = {
        split: list(splits.values()).count(split) for split in set(splits.values())
    }
    assert counts == {"train": 2, "val": 4, "test": 2}


def test_one_name_in_two_splits_is_one_patient(source, tmp_path):
    for kind in ("images", "masks"):
        (source / "TEST" / kind / "x6.png").rename(source / "TEST" / kind / "x0.png")
    report, splits = run(source, tmp_path)
    assert splits["train/x0"] == "train"
    assert splits["test/x0"] == "test"
    assert Issue.PATIENT_LEAK in {finding.issue for finding in report.findings}


def test_a_single_folder_of_that_name_is_a_source(source, tmp_path):
    report, splits = run(source / "train", tmp_path, val=0.25, test=0.25)
    assert [each.name for each in report.sources] == ["train"]
    assert len(splits) == 4
    assert set(splits.values()) == {"train", "val", "test"}
