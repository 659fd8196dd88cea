"""Doubt: hand-worked entropies, looks brought back to where they came from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from lungcli.workflows.drawing.uncertainty import (
    affine,
    binary_entropy,
    find_doubt,
    look_again,
    warp,
)
from lungcli.workflows.shared.inference import LungModel

SIDE = 64


class Brightness:
    """A network to which bright is lung: probability is brightness."""

    info = None
    batch_size = 8

    def probabilities(self, images):
        lung = images[..., 0].astype(np.float32) / 255
        return np.stack([lung, np.zeros_like(lung)], axis=-1)


class Moody(Brightness):
    """Says lung everywhere when first asked, and nothing in every further look."""

    def probabilities(self, images):
        answers = np.zeros((*images.shape[:3], 2), np.float32)
        answers[0, ..., 0] = 1.0
        return answers


def model(predictor):
    return LungModel("test", predictor)


@pytest.mark.parametrize(
    ("probability", "bits"),
    [
        pytest.param(0.5, 1.0, id="undecided"),
        pytest.param(0.25, 2 - 0.75 * np.log2(3), id="one-in-four"),
        pytest.param(0.0, 0.0, id="sure-not"),
        pytest.param(1.0, 0.0, id="sure"),
        pytest.param(1.0000002, 0.0, id="rounded-beyond-1"),
        pytest.param(-1e-7, 0.0, id="rounded-below-0"),
    ],
)
def test_entropy_by_hand(probability, bits):
    assert binary_entropy(np.array(probability)) == pytest.approx(bits, abs=1e-6)


@given(p=st.floats(0, 1))
def test_entropy_is_symmetric_and_as_scipy_has_it(p):
    own = binary_entropy(np.array(p))
    assert own == pytest.approx(binary_entropy(np.array(1 - p)), abs=1e-5)
    assert own == pytest.approx(stats.entropy([p, 1 - p], base=2), abs=3e-5)


def test_doubt_is_high_at_an_ambiguous_border_and_0_where_sure():
    """A wide gray band between black and white."""
    square = np.zeros((SIDE, SIDE), np.uint8)
    square[:, 24:40], square[:, 40:] = 128, 255
    doubt = find_doubt(model(Brightness()), square)
    assert doubt.shape == (SIDE, SIDE)
    assert (doubt[16:48, 30:34] > 0.99).all()
    assert (doubt[16:48, :14] == 0).all()
    assert (doubt[16:48, 50:] == 0).all()


def test_a_sure_edge_is_less_doubtful_than_a_vague_one():
    sharp = np.zeros((SIDE, SIDE), np.uint8)
    sharp[:, 32:] = 255
    vague = ndimage.gaussian_filter(sharp.astype(float), 6).astype(np.uint8)
    lungs = model(Brightness())
    assert find_doubt(lungs, sharp).sum() < 0.6 * find_doubt(lungs, vague).sum()


def test_looks_that_contradict_each_other_are_doubt():
    """One of five looks says lung: the entropy of 1/5."""
    doubt = find_doubt(model(Moody()), np.zeros((SIDE, SIDE), np.uint8))
    expected = -(0.2 * np.log2(0.2) + 0.8 * np.log2(0.8))
    assert doubt[32, 32] == pytest.approx(expected, abs=1e-5)


def test_every_look_is_brought_back():
    rows, columns = np.mgrid[:SIDE, :SIDE]
    blob = 255 * np.exp(-((rows - 20) ** 2 + (columns - 40) ** 2) / 60)
    answers = look_again(model(Brightness()), blob.astype(np.uint8))
    assert len(answers) == 5
    for answer in answers:
        centre = ndimage.center_of_mass(np.nan_to_num(answer))
        assert centre == pytest.approx((20, 40), abs=0.15)


def test_a_white_image_is_sure_to_its_edges():
    """What a look from nearer does not see must not count as no lung."""
    white = np.full((SIDE, SIDE), 255, np.uint8)
    answers = look_again(model(Brightness()), white)
    assert np.isnan(answers).any()
    nearer = answers[2]
    assert np.nanmin(nearer) == 1.0


def test_turning_is_counter_clockwise_about_the_middle():
    square = np.zeros((5, 5), np.uint8)
    square[2, 4] = 200  # right of the middle
    turned = warp(square, affine(5, 1.0, 90.0))
    assert turned[0, 2] == 200
    assert np.count_nonzero(turned) == 1


def test_a_scale_above_1_enlarges():
    square = np.zeros((40, 40), np.uint8)
    square[10:30, 10:30] = 255
    larger = warp(square, affine(40, 1.5, 0.0))
    assert np.count_nonzero(larger > 127) == pytest.approx(900, rel=0.05)
