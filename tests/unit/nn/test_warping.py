"""The arithmetic of the augmentation, against SciPy and by hand."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from lungcli.nn.fused import fused
from lungcli.nn.warping import box, coordinates, field, low_resolution, sample_bilinear


def number(value):
    """One number per image, for a batch of one."""
    return np.full((1, 1, 1), value, np.float32)


def no_change(batch=1, knots=5):
    number = np.zeros((batch, 1, 1), np.float32)
    names = ("angle", "scale", "aspect", "shear")
    return {
        **dict.fromkeys(names, number),
        "shift": np.zeros((2, batch, 1, 1), np.float32),
        "bend": np.zeros((2, batch, knots, knots), np.float32),
    }


def warp(image, **changes):
    draws = {**no_change(), **changes}
    rows, columns = coordinates(image.shape[0], draws)
    sampled = sample_bilinear(image[None].astype(np.float32), rows, columns)
    return ops.convert_to_numpy(sampled)[0]


@pytest.fixture
def image():
    return np.random.default_rng(0).random((16, 16), np.float32)


def test_no_change(image):
    np.testing.assert_allclose(warp(image), image, atol=1e-5)


def test_a_quarter_turn(image):
    turned = warp(image, angle=number(np.pi / 2))
    np.testing.assert_allclose(turned, np.rot90(image), atol=1e-4)


def test_a_shift_reads_from_further_down_and_right(image):
    shifted = warp(image, shift=np.stack([number(2), number(3)]))
    np.testing.assert_allclose(shifted[:-2, :-3], image[2:, 3:], atol=1e-5)
    assert (shifted[-2:] == 0).all()
    assert (shifted[:, -3:] == 0).all()


def test_scale_enlarges_and_aspect_makes_taller(image):
    square = np.zeros((64, 64), np.float32)
    square[24:40, 24:40] = 1
    double = warp(square, scale=number(np.log(2)))
    assert double.sum() == pytest.approx(4 * 256, rel=0.03)
    taller = warp(square, aspect=number(np.log(1.5))) > 0.5
    assert taller.any(axis=1).sum() == pytest.approx(24, abs=1)
    assert taller.any(axis=0).sum() == pytest.approx(16 / 1.5, abs=1)


def test_sampling_agrees_with_scipy():
    rng = np.random.default_rng(0)
    pixels = rng.random((2, 9, 11), np.float32)
    rows, columns = rng.uniform(-2, 12, (2, 2, 5, 6)).astype(np.float32)
    ours = ops.convert_to_numpy(sample_bilinear(pixels, rows, columns))
    for mine, plane, row, column in zip(ours, pixels, rows, columns, strict=True):
        where = np.stack([row + 3, column + 3])
        theirs = ndimage.map_coordinates(np.pad(plane, 3), where, order=1)
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_a_field_of_equal_knots_is_flat():
    flat = ops.convert_to_numpy(field(np.full((2, 5, 5), 0.7, np.float32), 32))
    assert flat.shape == (2, 32, 32)
    np.testing.assert_allclose(flat, 0.7, atol=1e-5)


def test_a_field_agrees_with_scipy():
    knots = np.random.default_rng(1).random((1, 4, 4), np.float32)
    ours = ops.convert_to_numpy(field(knots, 20))[0]
    theirs = ndimage.zoom(knots[0], 5, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("side", [32, 30])
def test_low_resolution_keeps_the_mean_and_loses_detail(side):
    image = np.random.default_rng(2).random((1, side, side), np.float32)
    low = ops.convert_to_numpy(low_resolution(image))
    assert low.shape == image.shape
    assert low.mean() == pytest.approx(image.mean(), abs=0.01)
    assert low.std() < 0.5 * image.std()
    ones = np.ones_like(image)
    np.testing.assert_allclose(ops.convert_to_numpy(low_resolution(ones)), 1, atol=1e-5)


def test_box_by_hand():
    inside = box(4, number(0.25), number(1.0), number(0.0), number(0.5))
    expected = [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]
    np.testing.assert_array_equal(ops.convert_to_numpy(inside)[0], expected)


def test_fused_gives_the_same(image):
    rows, columns = coordinates(16, {**no_change(), "angle": number(0.3)})
    plain = sample_bilinear(image[None], rows, columns)
    compiled = fused(sample_bilinear)(image[None], rows, columns)
    np.testing.assert_allclose(
        ops.convert_to_numpy(plain), ops.convert_to_numpy(compiled), atol=1e-5
    )
