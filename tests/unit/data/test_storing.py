"""Whatever a library raises while it reads, the other cases go on."""

import re

import numpy as np
import pytest
from PIL import Image

from lungcli.data import storing
from lungcli.data.case import Case, Issue, MaskFiles
from lungcli.data.storing import IMAGES, MASKS, REFERENCES, Job, store_case


@pytest.fixture
def job(tmp_path):
    for name in (IMAGES, MASKS, REFERENCES):
        (tmp_path / name).mkdir()
    pixels = np.zeros((64, 64), np.uint8)
    pixels[10:50, 10:25] = pixels[10:50, 40:55] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    path = tmp_path / "a.png"
    masks = MaskFiles(combined=(path,))
    case = Case(case_id="a", patient_id="a", source="s", image_path=path, masks=masks)
    return Job(case=case, stem="a", folder=tmp_path, size=64)


ERRORS = [
    pytest.param(MemoryError(), "a.png is too large for the memory", id="memory"),
    pytest.param(
        OSError(5, "Input/output error"), "a.png .Input/output error.", id="share"
    ),
    pytest.param(KeyError("x"), r"a.png cannot be used \(KeyError\)", id="library"),
]


def fails_with(error):
    def fail(*arguments):
        raise error

    return fail


@pytest.mark.parametrize(("error", "says"), ERRORS)
def test_an_image_that_nobody_foresaw_is_a_finding(job, monkeypatch, error, says):
    monkeypatch.setattr(storing, "read_xray", fails_with(error))
    stored = store_case(job)
    assert stored.row is None
    (finding,) = stored.findings
    assert finding.issue == Issue.UNREADABLE
    assert re.search(says, finding.detail)


@pytest.mark.parametrize(("error", "says"), ERRORS)
def test_a_mask_that_nobody_foresaw_is_a_finding(job, monkeypatch, error, says):
    monkeypatch.setattr(storing, "read_case_labels", fails_with(error))
    stored = store_case(job)
    assert stored.row is not None
    assert not stored.row.mask
    finding = stored.findings[-1]
    assert re.search(says, finding.detail)
