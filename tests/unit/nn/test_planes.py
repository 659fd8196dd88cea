"""Masks to planes, where they are known and where they leave something open."""

import numpy as np
from keras import ops

from lungcli.anatomy import IGNORE, any_of
from lungcli.nn.augment import Augment
from lungcli.nn.planes import Planes

MIXED = np.array([[0, 1, 2, 3], [IGNORE, any_of(0, 3), any_of(1, 3), 0]], np.uint8)


def split(planes, labels):
    return ops.convert_to_numpy(planes.split(labels[None, ..., None]))[0]


def test_a_plane_for_each_lung():
    right, left = split(Planes(), np.array([[0, 1], [2, 1]], np.uint8))
    np.testing.assert_array_equal(right, [[0, 1], [0, 1]])
    np.testing.assert_array_equal(left, [[0, 0], [1, 0]])


def test_what_is_not_drawn_is_background():
    assert not split(Planes(), np.full((2, 2), 3, np.uint8)).any()
    background, right, left = split(Planes(partial=True), np.full((1, 1), 3, np.uint8))
    assert (background, right, left) == (1, 0, 0)


def test_what_is_open_is_in_several_planes():
    planes = split(Planes(labels=(1, 2, 3), partial=True), MIXED)
    background, right, left, heart = planes
    np.testing.assert_array_equal(background, [[1, 0, 0, 0], [1, 1, 0, 1]])
    np.testing.assert_array_equal(right, [[0, 1, 0, 0], [1, 0, 1, 0]])
    np.testing.assert_array_equal(left, [[0, 0, 1, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(heart, [[0, 0, 0, 1], [1, 1, 1, 0]])


def test_what_comes_into_view_is_background_and_nothing_else():
    """Warped far, so that parts of every picture lie outside of the image."""
    planes = Planes(labels=(1, 2, 3), partial=True)
    layer = Augment(strength=1.0, seed=1, planes=planes)
    pair = {
        "image": np.ones((8, 64, 64, 1), np.float32),
        "mask": np.full((8, 64, 64, 1), any_of(0, 3), np.uint8),
    }
    drawn = ops.convert_to_numpy(layer(pair)["planes"])
    np.testing.assert_allclose(drawn[:, 0], 1, atol=1e-5)  # background all over
    assert drawn[:, 3].min() == 0  # no heart outside of the image
    assert drawn[:, 3].max() == 1
