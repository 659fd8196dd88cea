"""Layers that lie over each other exactly."""

import io

import numpy as np
import pytest
from PIL import Image

from lungcli.anatomy import HEART, LEFT_LUNG, RIGHT_LUNG
from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom import draw_phantom
from lungcli.pictures.colours import AGREED, EXTRA, MISSED
from lungcli.pictures.layers import encode_layers


def decoded(file, mode="RGBA"):
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert(mode))


def labels(*rows):
    return np.array([list(row) for row in rows], dtype=np.uint8)


REFERENCE = labels("00000000", "01110220", "01110220", "01110220", "00000000")
PREDICTED = labels("00000000", "11110200", "01110200", "01110200", "00000000")


def test_all_layers_have_one_size():
    phantom = draw_phantom(1, 640)
    image, lungs = phantom.image[:480], phantom.labels[:480]
    layers = encode_layers(image, lungs, lungs, side=256)
    assert (layers.width, layers.height) == (256, 192)
    for file in (layers.xray, layers.predicted, layers.gold, layers.difference):
        assert decoded(file).shape == (192, 256, 4)


def test_small_grids_stay_as_they_are():
    image = np.full(REFERENCE.shape, 90, np.uint8)
    layers = encode_layers(image, PREDICTED, REFERENCE)
    assert (layers.width, layers.height) == (8, 5)
    assert np.abs(decoded(layers.xray, "L").astype(int) - 90).max() <= 2


def test_difference_by_hand():
    layers = encode_layers(None, PREDICTED, REFERENCE)
    shown = decoded(layers.difference)
    assert tuple(shown[1, 0, :3]) == EXTRA
    assert tuple(shown[1, 6, :3]) == MISSED
    assert tuple(shown[2, 2, :3]) == AGREED
    assert shown[0, 0, 3] == 0
    assert shown[1, 0, 3] > shown[2, 2, 3] > 0


def test_lungs_have_their_colours_and_an_opaque_border():
    shown = decoded(encode_layers(None, PREDICTED, REFERENCE).gold)
    assert tuple(shown[1, 1]) == (*RIGHT_LUNG.colour, 255)
    assert tuple(shown[1, 5]) == (*LEFT_LUNG.colour, 255)
    assert tuple(shown[2, 2, :3]) == RIGHT_LUNG.colour
    assert 0 < shown[2, 2, 3] < 255
    assert (shown[..., 3] > 0).tolist() == (REFERENCE > 0).tolist()


def test_the_right_lung_is_on_the_left():
    phantom = draw_phantom(2, 256)
    shown = decoded(encode_layers(None, phantom.labels, phantom.labels).predicted)
    where = (shown[..., :3] == RIGHT_LUNG.colour).all(axis=2) & (shown[..., 3] > 0)
    assert np.nonzero(where)[1].mean() < 128
    assert where.tolist() == (phantom.labels == RIGHT).tolist()


def test_without_an_xray():
    layers = encode_layers(None, PREDICTED, REFERENCE)
    assert layers.xray is None
    assert decoded(layers.predicted).shape == (5, 8, 4)


def test_empty_masks_are_transparent():
    nothing = np.zeros((4, 6), np.uint8)
    layers = encode_layers(nothing, nothing, nothing)
    assert not decoded(layers.difference)[..., 3].any()


def test_small_files():
    phantom = draw_phantom(3, 1024)
    shifted = np.roll(phantom.labels, 9, axis=0)
    layers = encode_layers(phantom.image, shifted, phantom.labels)
    files = (layers.xray, layers.predicted, layers.gold, layers.difference)
    assert sum(map(len, files)) < 40_000


def test_other_shapes_are_refused():
    image = np.zeros((5, 8), np.uint8)
    with pytest.raises(ValueError, match="must have one shape"):
        encode_layers(image, PREDICTED[:4], REFERENCE)
    with pytest.raises(ValueError, match="must have one shape"):
        encode_layers(None, np.full((4, 4), LEFT, np.uint8), REFERENCE)


def test_a_heart_has_its_colour_and_is_no_lung():
    heart = labels("00000000", "01133220", "01133220", "01133220", "00003330")
    layers = encode_layers(None, heart, REFERENCE)
    shown = decoded(layers.predicted)
    assert tuple(shown[4, 5]) == (*HEART.colour, 255)
    assert tuple(shown[2, 4]) == (*HEART.colour, 255)  # two pixels wide: all line
    assert tuple(shown[1, 5]) == (*LEFT_LUNG.colour, 255)
    assert (shown[..., 3] > 0).tolist() == (heart > 0).tolist()
    difference = decoded(layers.difference)
    assert difference[4, 4, 3] == 0  # heart beside no lung
    assert tuple(difference[1, 3, :3]) == MISSED  # lung that was called heart


def test_unknown_pixels_are_transparent():
    unknown = np.full((4, 6), 255, np.uint8)
    layers = encode_layers(unknown, unknown, unknown)
    assert not decoded(layers.gold)[..., 3].any()
    assert not decoded(layers.difference)[..., 3].any()


def test_lung_where_nobody_knows_is_no_error():
    reference = np.where(REFERENCE == 0, np.uint8(255), REFERENCE)
    shown = decoded(encode_layers(None, PREDICTED, reference).difference)
    assert shown[1, 0, 3] == 0  # extra, were it known
    assert tuple(shown[1, 6, :3]) == MISSED
    small = decoded(encode_layers(None, PREDICTED, reference, side=4).difference)
    colours = {tuple(pixel[:3]) for pixel in small[small[..., 3] > 0].tolist()}
    assert EXTRA not in colours
