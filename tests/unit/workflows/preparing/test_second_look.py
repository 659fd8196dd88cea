"""Masks that fit no image, and images that are no chests: found by the networks."""

import numpy as np
import pytest
from PIL import Image

from lungcli.data.case import Issue
from lungcli.phantom import write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

SIDES = ("leftMask", "rightMask")


@pytest.fixture
def source(tmp_path):
    write_montgomery(tmp_path / "set", count=4, size=256, workers=1)
    return tmp_path / "set"


def change(path, how):
    Image.fromarray(how(np.asarray(Image.open(path)))).save(path)


def found(source, tmp_path, **settings):
    settings = PrepareSettings(out=tmp_path / "p", size=256, workers=1, **settings)
    report = prepare([source], settings=settings)
    return [(finding.issue, finding.case_id) for finding in report.findings]


def test_nothing_is_said_of_good_cases(source, tmp_path):
    assert found(source, tmp_path) == []


def test_a_mask_of_another_image(source, tmp_path):
    path = sorted((source / "CXR_png").iterdir())[1]
    for side in SIDES:
        change(source / "ManualMask" / side / path.name, np.flipud)
    assert found(source, tmp_path, check=False) == []
    (seen,) = found(source, tmp_path, force=True)
    assert seen == (Issue.DISAGREES, path.stem)
    audit = (tmp_path / "p" / "audit.csv").read_text(encoding="utf-8")
    assert "a Dice of 0." in audit
    assert "mask of something else" in (tmp_path / "p" / "cases.csv").read_text()


def test_an_inverted_image(source, tmp_path):
    path = sorted((source / "CXR_png").iterdir())[2]
    change(path, lambda pixels: 255 - pixels)
    assert (Issue.DOUBTFUL, path.stem) in found(source, tmp_path)


def test_few_gray_levels(source, tmp_path):
    path = sorted((source / "CXR_png").iterdir())[0]
    change(path, lambda pixels: 100 + pixels // 16)
    assert found(source, tmp_path) == [(Issue.FEW_LEVELS, path.stem)]


def test_one_lung_alone(source, tmp_path):
    path = sorted((source / "CXR_png").iterdir())[0]
    change(source / "ManualMask" / "leftMask" / path.name, np.zeros_like)
    assert found(source, tmp_path) == [(Issue.ONE_LUNG, path.stem)]
