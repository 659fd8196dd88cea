"""The augmentation: image and mask stay together, draws can be repeated."""

import numpy as np
import pytest
from keras import ops

from lungcli.nn import augment as module
from lungcli.nn.augment import Augment, draw_augmented
from lungcli.nn.warping import low_resolution
from lungcli.phantom import draw_phantom


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(seed=3, size=128)


SHAPES = ("ROTATION", "LOG_SCALE", "LOG_ASPECT", "SHEAR", "SHIFT", "BEND")


def shapes_only(monkeypatch):
    """Leave the gray values alone, so that the image can be compared."""
    gray = ("LOG_GAMMA", "LOG_CONTRAST", "BRIGHTNESS", "SHADING", "NOISE", "BLUR")
    shares = ("INVERSION", "DEVICE_SHARE", "MARKER_SHARE", "SQUEEZE_SHARE")
    for name in (*gray, *shares, "PADDING_SHARE"):
        monkeypatch.setattr(module, name, 0.0)


def shapes_stay(monkeypatch):
    for name in SHAPES:
        monkeypatch.setattr(module, name, 0.0)


def test_mask_stays_glued_to_the_lungs(monkeypatch, phantom):
    """The mask is drawn into the image; after warping, image and mask still agree."""
    shapes_only(monkeypatch)
    monkeypatch.setattr(module, "COLLIMATION_SHARE", 0.0)
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
        "mask": phantom.labels[None, ..., None],
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
        "mask": np.repeat(phantom.labels[None, ..., None], 8, 0),
    }
    changed = {name: ops.convert_to_numpy(v) for name, v in layer(pair).items()}
    assert changed["image"].min() >= 0
    assert changed["image"].max() <= 1
    assert changed["planes"].shape == (8, 2, 128, 128)
    assert changed["planes"].min() >= 0
    assert changed["planes"].sum(axis=1).max() <= 1 + 1e-5
    assert np.isfinite(changed["image"]).all()


ONE = np.ones((1, 1, 1), np.float32)
NEUTRAL = {
    "gamma": ONE,
    "contrast": ONE,
    "brightness": 0 * ONE,
    "shading": np.zeros((1, module.KNOTS, module.KNOTS), np.float32),
    "inverted": 0 * ONE,
    "noise": 0 * ONE,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, [0.25, 0.5, 0.75], id="neutral"),
        pytest.param({"gamma": 2 * ONE}, [0.0625, 0.25, 0.5625], id="gamma"),
        pytest.param({"contrast": 2 * ONE}, [0, 0.5, 1], id="contrast"),
        pytest.param({"brightness": 0.1 * ONE}, [0.35, 0.6, 0.85], id="brightness"),
        pytest.param({"inverted": ONE}, [0.75, 0.5, 0.25], id="inverted"),
        pytest.param({"noise": -0.3 * ONE}, [0, 0.2, 0.45], id="noise"),
        pytest.param(
            {"shading": NEUTRAL["shading"] + 0.1}, [0.35, 0.6, 0.85], id="shading"
        ),
        pytest.param(
            {"inverted": ONE, "brightness": 0.1 * ONE}, [0.65, 0.4, 0.15], id="in-order"
        ),
    ],
)
def test_gray_values_by_hand(change, expected):
    image = np.tile(np.float32([0.25, 0.5, 0.75]), (1, 3, 1))
    drawn = ops.convert_to_numpy(module._recolour(image, {**NEUTRAL, **change}))
    np.testing.assert_allclose(drawn[0], np.tile(expected, (3, 1)), atol=1e-5)


@pytest.mark.parametrize("blur", [0.0, 1.0, -0.5])
def test_some_images_are_blurred_and_others_sharpened(phantom, blur):
    image = phantom.image[None, ..., None] / np.float32(255)
    coarse = ops.convert_to_numpy(low_resolution(image[..., 0]))
    drawn = ops.convert_to_numpy(module._refocus(image, blur * ONE))
    expected = image[..., 0] + blur * (coarse - image[..., 0])
    np.testing.assert_allclose(drawn, expected, atol=1e-6)
    assert np.abs(coarse - image[..., 0]).max() > 0.05


def test_borders_hide_image_and_mask(monkeypatch):
    shapes_only(monkeypatch)
    shapes_stay(monkeypatch)
    monkeypatch.setattr(module, "COLLIMATION_SHARE", 1.0)
    monkeypatch.setattr(module, "COLLIMATION", 0.4)
    gray, lung = np.full((128, 128), 77, np.uint8), np.ones((128, 128), np.uint8)
    images, labels = draw_augmented(gray, lung, draws=16)
    for image, mask in zip(images, labels, strict=True):
        np.testing.assert_array_equal(image == 77, mask > 0)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(0))
        assert mask.sum() == len(rows) * len(columns)  # one box
        assert len(rows) >= 0.2 * 128
    grays = {value for image in images for value in np.unique(image)}
    assert {0, 77, 255} < grays  # black, white, and between
    assert any((mask > 0).all() for mask in labels[:, :, 0] > 0)  # not on every side


def test_a_squeezed_image_keeps_its_order_in_few_levels(monkeypatch, phantom):
    shapes_only(monkeypatch)
    shapes_stay(monkeypatch)
    monkeypatch.setattr(module, "COLLIMATION_SHARE", 0.0)
    monkeypatch.setattr(module, "SQUEEZE_SHARE", 1.0)
    images, _ = draw_augmented(phantom.image, phantom.labels, draws=16)
    order = np.argsort(phantom.image, axis=None)
    for image in images.astype(int):
        assert (np.diff(image.ravel()[order]) >= 0).all()
    ranges = np.ptp(images, axis=(1, 2))
    assert ranges.min() >= 14
    assert ranges.min() < 40
    assert ranges.max() > 120


def test_a_marker_stays_white_on_a_squeezed_image(monkeypatch, phantom):
    shapes_only(monkeypatch)
    shapes_stay(monkeypatch)
    monkeypatch.setattr(module, "COLLIMATION_SHARE", 0.0)
    for name in ("SQUEEZE_SHARE", "MARKER_SHARE"):
        monkeypatch.setattr(module, name, 1.0)
    images, _ = draw_augmented(phantom.image, phantom.labels, draws=16)
    white = [(image == 255).mean() for image in images]
    assert 3 <= sum(share > 0 for share in white) < 16
    assert max(white) <= 0.2**2 + 0.01


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_lies_around_the_image_is_black_where_it_is_padding(monkeypatch, share):
    shapes_only(monkeypatch)
    shapes_stay(monkeypatch)
    for name, value in (
        ("COLLIMATION_SHARE", 0.0),
        ("SHIFT", 0.3),
        ("BRIGHTNESS", 0.3),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "PADDING_SHARE", share)
    white, lung = np.full((64, 64), 255, np.uint8), np.ones((64, 64), np.uint8)
    images, labels = draw_augmented(white, lung, draws=16)
    around = images[labels == 0]
    # all but the outermost pixels of the image, which are mixed with what lies around
    assert (np.mean(around == 0) > 0.95) == (share == 1.0)


def test_a_device_hides_the_image_not_the_mask(monkeypatch, phantom):
    shapes_only(monkeypatch)
    shapes_stay(monkeypatch)
    monkeypatch.setattr(module, "COLLIMATION_SHARE", 0.0)
    monkeypatch.setattr(module, "DEVICE_SHARE", 1.0)
    images, labels = draw_augmented(phantom.image, phantom.labels, draws=8)
    changed = images != phantom.image
    assert (changed.mean(axis=(1, 2)) < 0.3**2 + 0.01).all()
    assert changed.any(axis=(1, 2)).sum() >= 6
    np.testing.assert_array_equal(labels, np.repeat(phantom.labels[None], 8, 0))
