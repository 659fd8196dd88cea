"""A second look: what the first missed is found, and is not believed lightly."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lungcli.data.geometry import fit_square, to_square
from lungcli.workflows.predicting.doubts import Correction
from lungcli.workflows.predicting.looking import View, look, look_again, which_lungs

SIDE = 64
AS_IT_IS = View(correction=Correction())


def pattern():
    """An image that no turn and no inversion makes like itself."""
    noise = np.random.default_rng(1).random((SIDE, SIDE))
    smooth = gaussian_filter(noise, 4)
    low, high = smooth.min(), smooth.max()
    return np.rint(255 * (smooth - low) / (high - low)).astype(np.uint8)


def lungs_of(labels):
    return np.stack([labels == 1, labels == 2], axis=-1).astype(np.float32)


UPRIGHT = pattern()
LABELS = np.zeros((SIDE, SIDE), np.uint8)
LABELS[10:40, 5:20], LABELS[12:38, 40:60] = 1, 2


class Network:
    """Finds both lungs in the one image that it knows, and else what it is told."""

    threshold, channels = 0.5, (1, 2)

    def __init__(self, otherwise=None, *, contrast=20):
        self.otherwise = np.zeros_like(LABELS) if otherwise is None else otherwise
        self.contrast = contrast

    def to_square(self, image):
        geometry = fit_square(*image.shape, SIDE)
        return to_square(image, geometry), geometry

    def infer(self, square):
        alike = np.corrcoef(square.ravel(), UPRIGHT.ravel())[0, 1] > 0.8
        known = alike and square.std() > self.contrast
        return lungs_of(LABELS if known else self.otherwise)

    def clean(self, probabilities):
        return probabilities


class Quality:
    def __init__(self, score=0.97):
        self.given = score

    def score(self, square, probabilities, labels):
        del square, probabilities
        return self.given if labels.any() else 0.0


def both_looks(stored, *, network=None, quality=None, upright=False):
    network, quality = network or Network(), quality or Quality()
    first = look(network, quality, stored, AS_IT_IS)
    return first, look_again(network, quality, stored, first, upright=upright)


def test_what_is_found_at_once_is_not_looked_at_again():
    first, last = both_looks(UPRIGHT)
    assert last is first
    assert (first.found, first.quality, first.view.words) == ("both", 0.97, ())


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        pytest.param(255 - UPRIGHT, ("inverted",), id="inverted"),
        pytest.param(
            np.rot90(UPRIGHT), ("turned 90° clockwise",), id="turned counter-clockwise"
        ),
        pytest.param(np.rot90(UPRIGHT, 2), ("turned 180°",), id="upside down"),
        pytest.param(
            255 - np.rot90(UPRIGHT, 3),
            ("turned 90° counter-clockwise", "inverted"),
            id="turned clockwise, inverted",
        ),
    ],
)
def test_lungs_are_found_and_come_back_to_the_stored_grid(stored, words):
    first, last = both_looks(np.ascontiguousarray(stored))
    assert (first.found, last.found, last.view.words) == ("none", "both", words)
    turns = -last.view.correction.quarter_turns
    expected = np.rot90(LABELS, turns)
    np.testing.assert_array_equal(last.view.correction.undo(LABELS), expected)


def test_faint_lungs_are_found_once_contrast_is_evened_out():
    faint = (100 + UPRIGHT // 12).astype(np.uint8)
    first, last = both_looks(faint)
    assert (first.found, last.found, last.view.words) == (
        "none",
        "both",
        ("equalized",),
    )


def test_one_lung_is_looked_at_again_too():
    right = np.where(LABELS == 1, 1, 0).astype(np.uint8)
    first, last = both_looks(255 - UPRIGHT, network=Network(right))
    assert (first.found, last.found) == ("right", "both")


def test_a_doubtful_second_mask_is_not_believed():
    first, last = both_looks(255 - UPRIGHT, quality=Quality(0.89))
    assert last is first


def test_what_a_tag_says_is_upright_is_not_turned():
    first, last = both_looks(np.ascontiguousarray(np.rot90(UPRIGHT)), upright=True)
    assert last is first


@pytest.mark.parametrize(
    ("labels", "name"),
    [([0, 3], "none"), ([0, 1], "right"), ([2, 3], "left"), ([1, 2], "both")],
)
def test_names_of_what_is_found(labels, name):
    assert which_lungs(np.array([labels], np.uint8)) == name
