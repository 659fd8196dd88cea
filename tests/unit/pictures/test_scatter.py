"""Scatter plots: dots where they belong."""

import numpy as np
import pytest

from lungcli.pictures.colours import LEFT_LUNG, RIGHT_LUNG
from lungcli.pictures.scatter import Dots, Scatter, draw_scatter

SIZE = (400, 420)


def plot(x, y, colour=RIGHT_LUNG, low=0.0):
    dots = Dots("", np.array(x, float), np.array(y, float), colour)
    scatter = Scatter(title="", dots=(dots,), low=low, high=1.0, x_name="", y_name="")
    return np.asarray(draw_scatter(scatter, SIZE), dtype=int)


def centre(x, y, low=0.0):
    """Return the middle of what one dot changes, in pixels."""
    rows, columns = np.nonzero(
        np.abs(plot([x], [y], low=low) - plot([], [])).max(-1) > 40
    )
    return rows.mean(), columns.mean()


def test_size():
    assert plot([0.5], [0.5]).shape == (SIZE[1], SIZE[0], 3)


def test_places_are_linear_and_up_is_more():
    low, middle, high = (centre(v, v) for v in (0.1, 0.5, 0.9))
    assert low[0] > middle[0] > high[0]
    assert low[1] < middle[1] < high[1]
    for axis in (0, 1):
        assert middle[axis] == pytest.approx((low[axis] + high[axis]) / 2, abs=0.6)


def test_values_beyond_the_axes_lie_at_the_edge():
    assert plot([0.2], [0.3], low=0.8).tolist() == plot([0.8], [0.8], low=0.8).tolist()


def test_later_dots_are_on_top():
    x = y = np.array([0.3])
    both = Scatter(
        title="a",
        dots=(Dots("b", x, y, RIGHT_LUNG), Dots("c", x, y, LEFT_LUNG)),
        low=0.0,
        high=1.0,
        x_name="x",
        y_name="y",
        note="n",
    )
    row, column = (round(pixel) for pixel in centre(0.3, 0.3))
    red, _, blue = np.asarray(draw_scatter(both, SIZE))[row, column].tolist()
    assert red > blue
