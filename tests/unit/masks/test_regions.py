"""Parts of a mask, against SciPy's, and boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from lungcli.masks.regions import bounding_box, label_components


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)))
@settings(max_examples=300)
def test_like_scipy(mask):
    labels, count = label_components(mask)
    expected, expected_count = ndimage.label(mask)
    assert count == expected_count
    np.testing.assert_array_equal(labels, expected)


@given(seed=st.integers(0, 1000), share=st.floats(0.3, 0.7))
@settings(max_examples=30)
def test_like_scipy_where_parts_wind_through_each_other(seed, share):
    mask = np.random.default_rng(seed).random((80, 70)) < share
    labels, count = label_components(mask)
    expected, expected_count = ndimage.label(mask)
    assert count == expected_count
    np.testing.assert_array_equal(labels, expected)


def spiral(side):
    """One part whose ends are as far apart as can be."""
    mask = np.zeros((side, side), bool)
    row, column, step = 0, 0, (0, 1)
    mask[0, 0] = True
    for length in [side - 1] + [n for n in range(side - 1, 0, -2) for _ in (0, 1)]:
        for _ in range(length):
            row, column = row + step[0], column + step[1]
            mask[row, column] = True
        step = (step[1], -step[0])
    return mask


@pytest.mark.parametrize("side", [9, 101])
def test_a_spiral_is_one_part(side):
    assert ndimage.label(spiral(side))[1] == 1  # the spiral is what it should be
    assert label_components(spiral(side))[1] == 1


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 1), (3, 4)])
def test_nothing(shape):
    labels, count = label_components(np.zeros(shape, bool))
    assert (labels.shape, count, labels.any()) == (shape, 0, False)


def test_corners_do_not_connect():
    assert label_components(np.eye(3, dtype=bool))[1] == 3


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)))
def test_the_box_is_the_smallest_that_holds_all(mask):
    box = bounding_box(mask)
    assert mask[box].sum() == mask.sum()
    part = mask[box]
    if mask.any():
        assert part[[0, -1]].any(axis=1).all()
        assert part[:, [0, -1]].any(axis=0).all()
    else:
        assert part.size == 0
