"""Gray values that lie close together are spread before they are averaged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.data.geometry import fit_square, to_square
from lungcli.data.levels import WIDE, spread_levels


def ramp(low, high, *, side=90):
    """An image that runs evenly from one gray value to another."""
    row = np.linspace(low, high, side)
    return np.tile(np.rint(row), (side, 1)).astype(np.uint8)


def test_a_narrow_range_becomes_wide():
    """The middle of 30 to 60 is 35 to 55, and that fills two thirds of the range."""
    spread = spread_levels(ramp(30, 60))
    assert (spread.min(), spread.max()) == (0, 255)
    assert spread[0, 15] == pytest.approx(255 / 6, abs=6)
    assert spread[0, 74] == pytest.approx(255 * 5 / 6, abs=6)


def test_a_marker_does_not_keep_the_chest_dark():
    image = ramp(30, 60)
    image[:8, :20] = 255
    np.testing.assert_array_equal(
        spread_levels(image)[8:], spread_levels(ramp(30, 60))[8:]
    )
    assert (spread_levels(image)[:8, :20] == 255).all()


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(ramp(0, 255), id="the whole range"),
        pytest.param(ramp(20, 20 + 1.6 * WIDE), id="just wide enough"),
        pytest.param(ramp(77, 77), id="one gray value"),
    ],
)
def test_what_is_wide_enough_or_empty_is_left_alone(image):
    assert spread_levels(image) is image


@given(arrays(np.uint8, (12, 15), elements=st.integers(100, 140)))
def test_the_order_stays(image):
    spread = spread_levels(image).astype(int)
    order = np.argsort(image, axis=None)
    assert (np.diff(spread.ravel()[order]) >= 0).all()


def test_shrinking_then_keeps_more_levels_than_the_image_has():
    """Of 16 gray values with some noise, the mean of 16 pixels has more than 16."""
    rng = np.random.default_rng(0)
    noisy = np.linspace(100, 115, 256)[None] + rng.normal(0, 1, (256, 256))
    image = np.rint(noisy).clip(100, 115).astype(np.uint8)
    small = to_square(spread_levels(image), fit_square(256, 256, 64))
    assert np.unique(image).size == 16
    assert np.unique(small).size > 64
