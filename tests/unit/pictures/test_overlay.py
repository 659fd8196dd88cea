"""Outlines lie on the mask's own border; sizes and label maps stay true."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from lungcli.anatomy import HEART, LEFT_LUNG, LUNGS, RIGHT_LUNG
from lungcli.arrays import LEFT, RIGHT
from lungcli.pictures.colours import BLACK, WHITE
from lungcli.pictures.overlay import (
    border,
    fit_picture,
    line_width,
    outline,
    structures_in,
    tint,
)

MASKS = arrays(np.bool_, (9, 9))
GRAY = np.full((40, 60), 100, np.uint8)


def two_lungs():
    labels = np.zeros((40, 60), np.uint8)
    labels[10:30, 5:25] = RIGHT
    labels[10:30, 35:55] = LEFT
    return labels


@given(mask=MASKS)
def test_border_is_the_mask_without_its_erosion(mask):
    np.testing.assert_array_equal(border(mask, 1), mask & ~ndimage.binary_erosion(mask))


@given(mask=MASKS)
def test_thick_border_lies_inside_and_holds_the_thin_one(mask):
    thick = border(mask, 3)
    assert not (thick & ~mask).any()
    assert not (border(mask, 1) & ~thick).any()


def test_thick_border_of_a_square_is_equally_thick():
    mask = np.zeros((20, 20), bool)
    mask[2:18, 2:18] = True
    inner = np.zeros_like(mask)
    inner[5:15, 5:15] = True
    np.testing.assert_array_equal(border(mask, 3), mask & ~inner)


def test_outline_colours_the_border_and_nothing_else():
    labels = two_lungs()
    picture = outline(GRAY, labels)
    on_right = border(labels == RIGHT, 1)
    on_left = border(labels == LEFT, 1)
    assert (picture[on_right] == RIGHT_LUNG.colour).all()
    assert (picture[on_left] == LEFT_LUNG.colour).all()
    assert (picture[~on_right & ~on_left] == 100).all()


def test_touching_lungs_keep_a_line_each():
    labels = np.full((10, 10), RIGHT, np.uint8)
    labels[:, 5:] = LEFT
    picture = outline(np.zeros((10, 10), np.uint8), labels, thickness=1)
    assert tuple(picture[5, 4]) == RIGHT_LUNG.colour
    assert tuple(picture[5, 5]) == LEFT_LUNG.colour


def test_reference_is_dashed_and_hidden_where_the_prediction_agrees():
    labels = two_lungs()
    alone = outline(GRAY, None, reference=labels)
    line = border(labels > 0, 1)
    colours = {tuple(colour) for colour in alone[line].tolist()}
    assert colours == {BLACK, WHITE}
    assert (alone[~line] == 100).all()
    both = outline(GRAY, labels, reference=labels)
    np.testing.assert_array_equal(both, outline(GRAY, labels))


def test_no_label_map_leaves_the_image():
    assert (outline(GRAY, None) == 100).all()


def test_lines_grow_with_the_picture():
    assert [line_width(side) for side in (64, 224, 512, 4892)] == [1, 1, 2, 15]


@pytest.mark.parametrize("size", [(40, 61), (20, 30)])
def test_label_map_of_another_grid_is_refused(size):
    wrong = np.zeros(size, np.uint8)
    with pytest.raises(ValueError, match="must have one shape"):
        outline(GRAY, wrong)
    with pytest.raises(ValueError, match="must have one shape"):
        fit_picture(GRAY, (wrong,), 32)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((4020, 4892), (421, 512), id="landscape"),
        pytest.param((4892, 4020), (512, 421), id="portrait"),
        pytest.param((64, 64), (512, 512), id="enlarged"),
        pytest.param((1, 1), (512, 512), id="one-pixel"),
        pytest.param((2000, 1), (512, 1), id="line"),
    ],
)
def test_longer_side_and_aspect(shape, expected):
    image = np.zeros(shape, np.uint8)
    picture, (labels, nothing) = fit_picture(image, (image, None), 512)
    assert picture.shape == labels.shape == expected
    assert nothing is None


def test_reduced_labels_follow_coverage():
    labels = np.zeros((4, 8), np.uint8)
    labels[:2, :1] = RIGHT  # 2 of 4 pixels of the first block: half
    labels[0, 2] = RIGHT  # 1 of 4: less
    labels[0, 4], labels[1, 4:6] = RIGHT, LEFT  # 3 of 4, mostly left
    _, (fitted,) = fit_picture(np.zeros((4, 8), np.uint8), (labels,), 4)
    assert fitted.tolist() == [[RIGHT, 0, LEFT, 0], [0, 0, 0, 0]]


@given(labels=arrays(np.uint8, (6, 6), elements={"min_value": 0, "max_value": 2}))
def test_enlarged_labels_are_squares(labels):
    _, (fitted,) = fit_picture(labels, (labels,), 18)
    np.testing.assert_array_equal(fitted, labels.repeat(3, 0).repeat(3, 1))


def test_tint_blends_inside_the_mask_only():
    picture = np.full((1, 2, 3), 100, np.uint8)
    tint(picture, np.array([[True, False]]), (200, 100, 0), 0.5)
    assert picture.tolist() == [[[150, 100, 50], [100, 100, 100]]]


def with_heart():
    labels = two_lungs()
    labels[18:34, 25:35] = HEART.label
    return labels


def test_a_heart_is_outlined_in_its_colour():
    labels = with_heart()
    picture = outline(GRAY, labels)
    drawn = (picture == HEART.colour).all(axis=2)
    np.testing.assert_array_equal(drawn, border(labels == HEART.label, 1))


def test_a_pixel_that_nobody_knows_is_not_drawn():
    unknown = np.full(GRAY.shape, 255, np.uint8)
    assert (outline(GRAY, unknown, reference=unknown) == 100).all()


def test_a_reduced_heart_follows_coverage():
    labels = np.zeros((4, 8), np.uint8)
    labels[:2, :2] = HEART.label
    labels[:2, 2] = HEART.label  # half heart, half lung
    labels[:2, 3] = RIGHT
    labels[0, 4] = HEART.label  # 1 of 4 pixels
    labels[2:, :] = 255
    _, (fitted,) = fit_picture(labels, (labels,), 4)
    assert fitted.tolist() == [[3, 1, 0, 0], [255, 255, 255, 255]]


def test_lungs_are_told_of_always_others_where_they_are():
    assert structures_in(None) == LUNGS
    assert structures_in(two_lungs(), np.full((1, 1), 255, np.uint8)) == LUNGS
    assert structures_in(two_lungs(), with_heart()) == (*LUNGS, HEART)
