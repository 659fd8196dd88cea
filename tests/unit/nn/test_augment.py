"""The augmentation: image and mask stay together, draws can be repeated."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from lungcli.data.phantom import draw_phantom
from lungcli.nn import augment as module
from lungcli.nn.augment import Augment, draw_augmented, one_hot, sample_bilinear


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(seed=3, size=128)


def shapes_only(monkeypatch):
    """Leave the gray values alone, so that the image can be compared."""
    for name in ("LOG_GAMMA", "CONTRAST", "BRIGHTNESS", "NOISE", "INVERSION"):
        monkeypatch.setattr(module, name, 0.0)


def test_mask_stays_glued_to_the_lungs(monkeypatch, phantom):
    """The mask is drawn into the image; after warping, image and mask still agree."""
    shapes_only(monkeypatch)
    lungs = (phantom.labels > 0).astype(np.uint8) * 255
    images, labels = draw_augmented(lungs, phantom.labels, draws=8)
    for image, mask in zip(images > 127, labels > 0, strict=True):
        overlap = 2 * (image & mask).sum() / (image.sum() + mask.sum())
        assert overlap > 0.999


def test_warping_agrees_with_warping_at_high_resolution(monkeypatch):
    """The same draw on a phantom of twice the side gives the same shape."""
    shapes_only(monkeypatch)
    small, large = (draw_phantom(seed=5, size=size) for size in (128, 256))
    _, coarse = draw_augmented(small.image, small.labels, draws=4, seed=9)
    _, fine = draw_augmented(large.image, large.labels, draws=4, seed=9)
    for low, high in zip(coarse, fine, strict=True):
        reduced = (high > 0).reshape(128, 2, 128, 2).mean(axis=(1, 3)) >= 0.5
        low_mask = low > 0
        overlap = 2 * (reduced & low_mask).sum() / (reduced.sum() + low_mask.sum())
        assert overlap > 0.97


def test_sides_stay_on_their_sides(phantom):
    _, labels = draw_augmented(phantom.image, phantom.labels, draws=16)
    for drawn in labels:
        right, left = (np.argwhere(drawn == side)[:, 1].mean() for side in (1, 2))
        assert right < left


def test_strength_zero_changes_nothing(phantom):
    images, labels = draw_augmented(phantom.image, phantom.labels, draws=2, strength=0)
    for image, drawn in zip(images, labels, strict=True):
        np.testing.assert_array_equal(image, phantom.image)
        np.testing.assert_array_equal(drawn, phantom.labels)


def test_draws_differ_and_depend_on_the_seed(phantom):
    def draw(seed):
        return draw_augmented(phantom.image, phantom.labels, draws=2, seed=seed)[0]

    first = draw(1)
    assert (first[0] != first[1]).any()
    np.testing.assert_array_equal(first, draw(1))
    assert (first != draw(2)).any()


def test_epochs_can_be_jumped_to(phantom):
    """A resumed run draws what the uninterrupted one would have drawn."""
    pair = {
        "image": phantom.image[None, ..., None] / np.float32(255),
        "mask": one_hot(phantom.labels[None, ..., None]),
    }

    def drawn(layer):
        return ops.convert_to_numpy(layer(pair)["image"])

    through = Augment(seed=4)
    for epoch in range(3):
        through.begin_epoch(epoch)
        last = drawn(through)
    jumped = Augment(seed=4)
    jumped.begin_epoch(2)
    np.testing.assert_array_equal(last, drawn(jumped))
    assert (drawn(jumped) != last).any()


def test_ranges(phantom):
    layer = Augment(strength=3.0)
    pair = {
        "image": np.repeat(phantom.image[None, ..., None] / np.float32(255), 8, 0),
        "mask": np.repeat(one_hot(phantom.labels[None, ..., None]), 8, 0),
    }
    changed = {name: ops.convert_to_numpy(v) for name, v in layer(pair).items()}
    assert changed["image"].min() >= 0
    assert changed["image"].max() <= 1
    assert changed["mask"].sum(axis=-1).max() <= 1 + 1e-5
    assert np.isfinite(changed["image"]).all()


def test_sampling_agrees_with_scipy():
    rng = np.random.default_rng(0)
    pixels = rng.random((1, 9, 11, 1), np.float32)
    rows, columns = rng.uniform(-2, 12, (2, 1, 5, 6)).astype(np.float32)
    ours = ops.convert_to_numpy(sample_bilinear(pixels, rows, columns))[0, ..., 0]
    padded = np.pad(pixels[0, ..., 0], 3)
    where = np.stack([rows[0] + 3, columns[0] + 3])
    theirs = ndimage.map_coordinates(padded, where, order=1, mode="constant")
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
