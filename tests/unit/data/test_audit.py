from pathlib import Path

import numpy as np
import pytest

from lungcli.data.audit import (
    copy_findings,
    image_finding,
    inspect_labels,
    label_findings,
    leak_findings,
    list_findings,
    mask_finding,
)
from lungcli.data.case import Case, Issue, MaskFiles
from lungcli.data.duplicates import Copy
from lungcli.data.images import TooSmallError
from lungcli.data.reading import MaskSizeError
from lungcli.errors import ImageError

CASE = Case(
    case_id="x",
    patient_id="p",
    source="s",
    image_path=Path("x.png"),
    masks=MaskFiles(combined=(Path("m.png"),)),
)
OTHER = Case(case_id="y", patient_id="q", source="s", image_path=Path("y.png"))


def lungs():
    labels = np.zeros((200, 200), np.uint8)
    labels[50:150, 20:80] = 1
    labels[50:150, 120:180] = 2
    return labels


def test_two_lungs_are_fine():
    facts = inspect_labels(lungs())
    assert facts.area == 12000
    assert facts.stray_areas == ()
    assert not facts.swapped
    assert label_findings(CASE, facts) == ()


def test_touching_lungs_are_fine():
    labels = lungs()
    labels[100:105, 80:120] = 1
    assert inspect_labels(labels).stray_areas == ()


def test_strays_are_counted_dust_is_not():
    labels = lungs()
    labels[2:6, 2:6] = 1
    labels[190:192, 190:193] = 2
    labels[198, 100] = 2  # one pixel of 12,023: under 0.01 %
    facts = inspect_labels(labels)
    assert facts.stray_areas == (16, 6)
    (finding,) = label_findings(CASE, facts)
    assert finding.issue == Issue.STRAY_BLOBS
    assert finding.path == Path("m.png")
    assert finding.detail.startswith("2 beyond the lungs, the largest of 16 pixels")
    assert "kept as drawn" in finding.action


def test_diagonal_neighbours_are_one_blob():
    labels = lungs()
    labels[49, 80] = 1  # touches the right lung's corner
    assert inspect_labels(labels).stray_areas == ()


def test_swapped_sides():
    labels = lungs()[:, ::-1]
    (finding,) = label_findings(CASE, inspect_labels(labels))
    assert finding.issue == Issue.SIDES


@pytest.mark.parametrize("label", [1, 2])
def test_one_lung_alone_is_not_swapped(label):
    labels = lungs()
    labels[labels != label] = 0
    assert not inspect_labels(labels).swapped
    assert inspect_labels(labels).stray_areas == ()


def test_empty_mask():
    facts = inspect_labels(np.zeros((5, 5), np.uint8))
    (finding,) = label_findings(CASE, facts)
    assert finding.issue == Issue.EMPTY_MASK
    assert "kept without mask" in finding.action


@pytest.mark.parametrize(
    ("report", "error", "issue", "path", "action"),
    [
        (image_finding, ImageError("e"), Issue.UNREADABLE, "x.png", "left out"),
        (image_finding, TooSmallError("e"), Issue.TOO_SMALL, "x.png", "left out"),
        (mask_finding, ImageError("e"), Issue.UNREADABLE, "m.png", "without mask"),
        (mask_finding, MaskSizeError("e"), Issue.MASK_SIZE, "m.png", "without mask"),
    ],
)
def test_errors_become_findings(report, error, issue, path, action):
    finding = report(CASE, error)
    assert (finding.issue, finding.path, finding.detail) == (issue, Path(path), "e")
    assert action in finding.action


@pytest.mark.parametrize(
    ("splits", "action"),
    [
        ({("s", "x"): "train", ("s", "y"): "train"}, "never in different splits"),
        ({("s", "x"): "train"}, "never in different splits"),
        ({("s", "x"): "train", ("s", "y"): "test"}, "one is in train, the other in te"),
    ],
)
def test_copies_say_whether_they_cross_splits(splits, action):
    exact, near = copy_findings(
        [CASE, OTHER], [Copy(0, 1, None), Copy(0, 1, 0.987)], splits
    )
    assert exact.issue == Issue.DUPLICATE
    assert near.issue == Issue.NEAR_DUPLICATE
    assert near.case_id == "y"
    assert near.detail == "a near copy of x (s), correlation 0.99"
    assert action in exact.action


def test_leaks_name_patient_and_splits():
    (finding,) = leak_findings({"s/p": CASE}, {"s/p": ("train", "test")})
    assert finding.issue == Issue.PATIENT_LEAK
    assert finding.detail == "patient p is in train and test"


def test_lists_are_summed_up_by_source():
    not_listed = [("s", "a"), ("t", "b")]
    not_found = [("s", name) for name in "abcd"]
    findings = list_findings("file.csv", not_listed, not_found)
    assert [(f.issue, f.source, f.detail) for f in findings] == [
        (Issue.NOT_LISTED, "s", "1 case: a"),
        (Issue.NOT_LISTED, "t", "1 case: b"),
        (Issue.NOT_FOUND, "s", "4 cases: a, b, c, …"),
    ]


def test_a_mask_of_nearly_everything():
    labels = np.ones((100, 100), np.uint8)
    labels[:, 50:] = 2
    labels[:29] = 0
    (finding,) = label_findings(CASE, inspect_labels(labels))
    assert finding.issue == Issue.LARGE_MASK
    assert finding.detail == "the mask covers 71 % of the image"
    labels[:30] = 0
    assert label_findings(CASE, inspect_labels(labels)) == ()


def test_neither_heart_nor_ignored_is_lung():
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 3:10] = 1
    labels[5:15, 20:27] = 2
    alone = inspect_labels(labels)
    labels[5:15, 10:18] = 3
    labels[:5] = 255
    assert inspect_labels(labels) == alone
