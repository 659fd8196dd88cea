"""The Dice that chooses the best weights, worked out by hand."""

import numpy as np
import pytest

from lungcli.errors import DatasetError
from lungcli.workflows.shared.datasets import check_disjoint
from lungcli.workflows.training.validation import ValidationScorer


class Case:
    def __init__(self, source="a", patient_id="p"):
        self.source, self.patient_id = source, patient_id


class Dataset:
    def __init__(self, mask):
        self.mask = mask

    def read_mask(self, case):
        return self.mask


def square(side, columns, label=1):
    mask = np.zeros((side, side), np.uint8)
    mask[:, :columns] = label
    return mask


def probabilities(side, columns, value):
    values = np.zeros((side, side, 2), np.float32)
    values[:, :columns, 0] = value
    return values


def test_mean_over_images_of_the_thresholded_mask():
    """One perfect large lung and one small lung found half: (1 + 2/3) / 2."""
    cases = [(Dataset(square(16, 12)), Case()), (Dataset(square(16, 4)), Case())]
    scorer = ValidationScorer(cases, threshold=0.5)
    # 0.6 counts as lung, 0.4 does not: the soft values would score lower and higher
    predicted = np.stack([probabilities(16, 12, 0.6), probabilities(16, 2, 0.6)])
    predicted[0, :, 12:, 1] = 0.4
    assert scorer([predicted]) == {"val_dice": pytest.approx((1 + 2 / 3) / 2)}


def test_at_the_prepared_size_not_the_networks():
    """A line that only the larger grid holds is missed by the smaller network."""
    mask = square(64, 32)
    mask[:, 40] = 2
    scorer = ValidationScorer([(Dataset(mask), Case())], threshold=0.5)
    (dice,) = scorer([probabilities(32, 16, 1.0)[None]]).values()
    assert dice == pytest.approx(2 * 32 / (32 + 33))


def test_both_lungs_count():
    mask = square(8, 4)
    mask[:, 6:] = 2
    predicted = probabilities(8, 4, 1.0)
    predicted[:, 6:, 1] = 1.0
    scorer = ValidationScorer([(Dataset(mask), Case())], threshold=0.5)
    assert scorer([predicted[None]]) == {"val_dice": 1.0}


def test_sources_apart():
    cases = [(Dataset(square(8, 4)), Case("x")), (Dataset(square(8, 4)), Case("y"))]
    scorer = ValidationScorer(cases, threshold=0.5)
    predicted = np.stack([probabilities(8, 4, 1.0), probabilities(8, 0, 1.0)])
    expected = {"val_dice": 0.5, "val_dice_x": 1.0, "val_dice_y": 0.0}
    assert scorer([predicted]) == expected
    assert scorer(iter([predicted[:1], predicted[1:]])) == expected


def test_a_side_that_is_no_multiple_of_eight():
    mask = square(13, 5)
    scorer = ValidationScorer([(Dataset(mask), Case())], threshold=0.5)
    assert scorer([probabilities(13, 5, 1.0)[None]]) == {"val_dice": 1.0}


def test_another_number_of_predictions_is_a_bug():
    scorer = ValidationScorer([(Dataset(square(8, 4)), Case())], threshold=0.5)
    with pytest.raises(ValueError, match="zip"):
        scorer([])


def test_patients_in_both_splits_are_refused():
    train = [(None, Case("x", "1")), (None, Case("x", "2"))]
    check_disjoint(train, [(None, Case("y", "1"))])
    with pytest.raises(DatasetError, match="1 patients are in training and in valid"):
        check_disjoint(train, [(None, Case("x", "2")), (None, Case("x", "3"))])
    with pytest.raises(DatasetError, match="in a and in b, among them 2 of x"):
        check_disjoint(train, [(None, Case("x", "2"))], parts=("a", "b"))


def test_what_nobody_knows_counts_neither_way():
    """The prediction covers the ignored half of the row, too: no error."""
    mask = square(8, 4)
    mask[:, 4:] = 255
    scorer = ValidationScorer([(Dataset(mask), Case())], threshold=0.5)
    assert scorer([probabilities(8, 8, 1.0)[None]]) == {"val_dice": 1.0}
