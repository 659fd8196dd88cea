"""The colours stay apart for red-green and blue-yellow blind eyes."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from lungcli.anatomy import HEART, LUNGS
from lungcli.pictures.views import compose_view

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB,
# https://doi.org/10.1109/TVCG.2009.113
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def seen(colour, vision):
    """Return the colour in CIELAB as an eye of this kind sees it."""
    encoded = np.asarray(colour) / 255
    linear = np.where(
        encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4
    )
    mixed = np.clip(VISION[vision] @ linear, 0, 1)
    encoded = np.where(
        mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055
    )
    return rgb2lab(encoded.reshape(1, 1, 3))


def smallest_distance(colours, vision):
    pairs = itertools.combinations([seen(colour, vision) for colour in colours], 2)
    return min(float(deltaE_ciede2000(a, b)[0, 0]) for a, b in pairs)


@pytest.mark.parametrize("vision", VISION)
def test_lungs_are_told_apart(vision):
    assert smallest_distance([lung.colour for lung in LUNGS], vision) > 40


@pytest.mark.parametrize("vision", VISION)
def test_the_heart_is_told_from_both_lungs(vision):
    colours = [each.colour for each in (*LUNGS, HEART)]
    assert smallest_distance(colours, vision) > 10


@pytest.mark.parametrize("gray", [30, 90, 160])
@pytest.mark.parametrize("vision", VISION)
def test_difference_is_told_apart_on_any_lung(vision, gray):
    image = np.full((1, 4), gray, np.uint8)
    predicted = np.array([[0, 1, 1, 0]], np.uint8)
    reference = np.array([[0, 1, 0, 1]], np.uint8)
    view = compose_view("difference", image, predicted, reference)
    assert smallest_distance(view.picture[0], vision) > 12
