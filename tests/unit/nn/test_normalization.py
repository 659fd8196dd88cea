"""Normalized gray values: hand-worked, a second implementation, and invariances."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.nn.normalization import CentralEqualization
from lungcli.phantom import draw_phantom

SIDE = 128


@pytest.fixture(scope="module")
def layer():
    return CentralEqualization()


@pytest.fixture(scope="module")
def chest():
    return draw_phantom(seed=3, size=SIDE).image


def normalized(layer, *images):
    """Return both channels of 8-bit images, `(n, side, side, 2)`."""
    batch = np.stack(images)[..., None] / np.float32(255)
    return keras.ops.convert_to_numpy(layer(batch))


def by_sorting(image):
    """Do the same in plain words: ranks and percentiles of the sorted middle."""
    rows, columns = (np.flatnonzero(np.ptp(image, axis=axis)) for axis in (1, 0))
    inside = [
        np.arange(at[0], at[-1] + 1)[
            np.abs(np.arange(at[0], at[-1] + 1) + 0.5 - (at[0] + at[-1] + 1) / 2)
            < (at[-1] + 1 - at[0]) / 3
        ]
        for at in (rows, columns)
    ]
    middle = np.sort(image[np.ix_(*inside)], axis=None)
    below = np.searchsorted(middle, image, "left")
    ranks = (below + np.searchsorted(middle, image, "right")) / 2 / middle.size
    levels = np.arange(256)
    every = np.searchsorted(middle, levels, "left")
    every = (every + np.searchsorted(middle, levels, "right")) / 2 / middle.size
    low, high = np.argmax(every >= 0.01), np.flatnonzero(every < 0.99)[-1]
    return np.stack([ranks, np.clip((image - low) / (high - low), 0, 1)], axis=-1)


def test_hand_worked(layer):
    """Of a middle that is half 10 and half 20, 10 is the quarter and 20 the rest."""
    image = np.zeros((12, 12), np.uint8)
    image[:, :6], image[:, 6:] = 10, 20
    image[0, 0], image[11, 11] = 5, 200  # so that no border is plain
    values = normalized(layer, image)[0]
    assert values[5, 2] == pytest.approx([0.25, 0])
    assert values[5, 8] == pytest.approx([0.75, 1])
    assert values[0, 0] == pytest.approx([0, 0])
    assert values[11, 11] == pytest.approx([1, 1])


def test_agrees_with_sorting(layer, chest):
    expected = by_sorting(chest)
    np.testing.assert_allclose(normalized(layer, chest)[0], expected, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 8), min_size=256, max_size=256))
def test_ranks_bear_any_change_that_keeps_the_order(layer, chest, steps):
    """Any strictly rising table of gray values leaves the ranks as they are."""
    coarse = chest // 8  # 32 levels, which a table can set apart in 8 bits
    table = np.cumsum(steps)[:32].clip(0, 255).astype(np.uint8)
    first, second = normalized(layer, coarse, table[coarse])[..., 0]
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_stretched_values_bear_another_range(layer, chest):
    coarse = chest // 4
    first, second = normalized(layer, coarse, coarse + 150)[..., 1]
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_inversion_turns_the_ranks_over(layer, chest):
    first, second = normalized(layer, chest, 255 - chest)[..., 0]
    np.testing.assert_allclose(first, 1 - second, atol=1e-6)


@pytest.mark.parametrize("gray", [0, 60, 255])
def test_what_lies_at_the_edge_does_not_count(layer, chest, gray):
    """A marker changes nothing around it; nor does a border that was there before."""
    marked = chest.copy()
    marked[4:14, 4:24] = gray
    before, after = normalized(layer, chest, marked)
    outside = marked == chest
    np.testing.assert_allclose(after[outside], before[outside], atol=1e-6)


def test_padding_does_not_count(layer, chest):
    """Beside padding, a border of another gray value is no content either."""
    framed = np.full((SIDE, SIDE), 255, np.uint8)
    framed[:, :8] = framed[:, -8:] = 0  # padding left and right
    framed[16:-16, 16:-16] = chest[16:-16, 16:-16]
    plain = np.zeros((SIDE, SIDE), np.uint8)
    plain[16:-16, 16:-16] = chest[16:-16, 16:-16]
    inner = np.s_[16:-16, 16:-16]
    first, second = normalized(layer, framed, plain)
    np.testing.assert_allclose(first[inner], second[inner], atol=1e-6)


@pytest.mark.parametrize("gray", [0, 7, 255])
def test_a_plain_image_is_black(layer, gray):
    values = normalized(layer, np.full((SIDE, SIDE), gray, np.uint8))
    np.testing.assert_array_equal(values, 0)


def test_images_of_a_batch_do_not_mix(layer, chest):
    other = draw_phantom(seed=4, size=SIDE).image // 3
    together = normalized(layer, chest, other)
    np.testing.assert_array_equal(together[:1], normalized(layer, chest))
    np.testing.assert_array_equal(together[1:], normalized(layer, other))


def test_training_sees_the_same(layer, chest):
    """XLA compiles it there."""
    batch = chest[None, ..., None] / np.float32(255)
    trained = keras.ops.convert_to_numpy(layer(batch, training=True))
    np.testing.assert_allclose(trained, normalized(layer, chest), atol=1e-6)


def test_it_can_be_cloned():
    inputs = keras.Input((SIDE, SIDE, 1))
    network = keras.Model(inputs, CentralEqualization(name="normalization")(inputs))
    clone = keras.models.clone_model(network)
    assert clone.get_layer("normalization").dtype_policy.name == "float32"
    assert clone.output_shape == (None, SIDE, SIDE, 2)
