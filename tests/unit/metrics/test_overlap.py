"""Overlap scores against hand values, laws, and a second implementation."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from lungcli.metrics.overlap import (
    Overlap,
    dice,
    iou,
    is_swapped,
    overlap,
    overlap_by_lung,
    precision,
    sensitivity,
)

MASKS = arrays(np.bool_, (8, 8))
LABELS = arrays(np.uint8, (8, 8), elements={"max_value": 2})


def test_by_hand():
    reference = np.array([[True, True, True, False]])
    predicted = np.array([[False, True, True, True]])
    counts = overlap(reference, predicted)
    assert counts == Overlap(both=2, missed=1, extra=1)
    assert dice(counts) == pytest.approx(4 / 6)
    assert iou(counts) == pytest.approx(2 / 4)


def test_sensitivity_and_precision_tell_missed_from_extra():
    counts = Overlap(both=6, missed=2, extra=4)
    assert sensitivity(counts) == 0.75
    assert precision(counts) == 0.6


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param(Overlap(0, 0, 0), [math.nan] * 4, id="both-empty"),
        pytest.param(Overlap(0, 5, 0), [0, 0, 0, math.nan], id="missed-entirely"),
        pytest.param(Overlap(0, 0, 5), [0, 0, math.nan, 0], id="nothing-there"),
        pytest.param(Overlap(5, 0, 0), [1, 1, 1, 1], id="equal"),
    ],
)
def test_edge_cases(counts, expected):
    values = [score(counts) for score in (dice, iou, sensitivity, precision)]
    assert values == pytest.approx(expected, nan_ok=True)


@given(a=MASKS, b=MASKS)
def test_laws(a, b):
    counts = overlap(a, b)
    both_ways = overlap(b, a)
    assert dice(counts) == pytest.approx(dice(both_ways), nan_ok=True)
    if a.any() or b.any():
        assert 0 <= iou(counts) <= dice(counts) <= 1
        assert dice(counts) == pytest.approx(2 * iou(counts) / (1 + iou(counts)))


@given(a=MASKS, b=MASKS)
def test_mean_of_both_classes_agrees_with_keras(a, b):
    """Keras' BinaryIoU averages lung and background."""
    second = keras.metrics.BinaryIoU(target_class_ids=[1])
    second.update_state(a.astype("float32"), b.astype("float32"))
    if a.any() or b.any():
        assert iou(overlap(a, b)) == pytest.approx(float(second.result()), abs=1e-6)


@given(a=LABELS, b=LABELS)
def test_lungs_are_the_union_of_the_sides(a, b):
    counts = overlap_by_lung(a, b)
    lungs = counts["lungs"]
    assert lungs.both + lungs.missed == np.count_nonzero(a)
    assert lungs.both >= counts["right"].both + counts["left"].both


def test_swapped_sides_show_per_lung_only():
    labels = np.array([[1, 1, 0, 2]], dtype=np.uint8)
    swapped = np.array([[2, 2, 0, 1]], dtype=np.uint8)
    counts = overlap_by_lung(labels, swapped)
    assert dice(counts["lungs"]) == 1
    assert dice(counts["right"]) == 0
    assert is_swapped(labels, swapped)
    assert not is_swapped(labels, labels)


@given(a=LABELS, b=LABELS)
def test_exchanged_sides_are_swapped_unless_they_were(a, b):
    exchanged = np.array([0, 2, 1], np.uint8)[b]
    assert not (is_swapped(a, b) and is_swapped(a, exchanged))
    assert is_swapped(a, b) == is_swapped(b, a)


@pytest.mark.parametrize(
    ("reference", "predicted", "message"),
    [
        (np.ones((2, 2), bool), np.ones((2, 2)), "predicted must be a 2-D boolean"),
        (np.ones(4, bool), np.ones(4, bool), "reference must be a 2-D boolean"),
        (np.ones((2, 2), bool), np.ones((2, 3), bool), "differ"),
    ],
)
def test_wrong_masks_are_named(reference, predicted, message):
    with pytest.raises(ValueError, match=message):
        overlap(reference, predicted)
