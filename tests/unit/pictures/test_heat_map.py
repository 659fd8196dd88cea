"""Heat where the doubt is, the bare X-ray where there is none."""

import dataclasses

import numpy as np
import pytest

from lungcli.anatomy import HEART
from lungcli.arrays import RIGHT
from lungcli.pictures.colours import BLACK, WHITE
from lungcli.pictures.heat_map import draw_heat_map, heat, mean_doubt
from lungcli.pictures.panels import PanelCase

GRAY = np.full((64, 64), 100, np.uint8)
SIDE, BAR, GAP = 128, 16, 2


def make_case(reference=None):
    predicted = np.zeros((64, 64), np.uint8)
    predicted[16:48, 16:48] = RIGHT
    return PanelCase(title="x", image=GRAY, predicted=predicted, reference=reference)


def doubt_panel(picture):
    return picture[2 * BAR : 2 * BAR + SIDE, SIDE + GAP :]


def test_no_doubt_leaves_the_dimmed_xray():
    assert (heat(GRAY, np.zeros((64, 64), np.float32)) == 60).all()


def test_more_doubt_is_brighter_and_warmer():
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[None]
    colours = heat(np.full((1, 101), 100, np.uint8), ramp)[0].astype(int)
    red, _, blue = colours.T
    assert (np.diff(red[10:]) >= -1).all()
    assert (np.diff(colours.sum(axis=1)[40:]) >= -4).all()
    assert (red - blue)[-1] > 100
    assert abs(colours[-1] - colours[50]).max() > 60


def test_heat_lies_where_the_doubt_is():
    doubt = np.zeros((64, 64), np.float32)
    doubt[:8] = 1.0
    square = doubt_panel(draw_heat_map(make_case(), doubt, side=SIDE)).astype(int)
    assert (square[2:14, 20:108, 0] > 200).all()
    assert (square[60:64, 60:64] == 60).all()


def test_both_outlines_are_drawn():
    reference = np.zeros((64, 64), np.uint8)
    reference[8:56, 8:56] = RIGHT
    doubt = np.zeros((64, 64), np.float32)
    square = doubt_panel(draw_heat_map(make_case(reference), doubt, side=SIDE))
    assert square[64, 32].tolist() == list(BLACK)
    assert square[64, 16].tolist() == list(WHITE)
    alone = doubt_panel(draw_heat_map(make_case(), doubt, side=SIDE))
    assert alone[64, 16].tolist() == [60] * 3


def test_size_depends_on_the_side_alone():
    tall = PanelCase(
        title="x" * 99,
        image=np.zeros((90, 30), np.uint8),
        predicted=None,
        reference=None,
    )
    one = draw_heat_map(tall, np.zeros((90, 30), np.float32), side=SIDE)
    other = draw_heat_map(make_case(), np.zeros((64, 64), np.float32), side=SIDE)
    assert one.shape == other.shape == (SIDE + 4 * BAR, 2 * SIDE + GAP, 3)


def test_mean_doubt_is_bits_per_predicted_pixel():
    assert mean_doubt(make_case(), np.full((64, 64), 0.5, np.float32)) == 2.0
    bare = PanelCase(title="", image=GRAY, predicted=None, reference=None)
    assert np.isnan(mean_doubt(bare, np.ones((64, 64), np.float32)))


def test_doubt_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="must have one shape"):
        draw_heat_map(make_case(), np.zeros((3, 3), np.float32))


def test_a_heart_is_no_lung_and_is_in_the_legend():
    case = make_case()
    labels = case.predicted.copy()
    labels[48:60, 20:40] = HEART.label
    heart = dataclasses.replace(case, predicted=labels)
    doubt = np.ones((64, 64), np.float32)
    assert mean_doubt(heart, doubt) == mean_doubt(case, doubt) == 4.0
    pictures = [draw_heat_map(each, doubt, side=SIDE) for each in (heart, case)]
    squares = [doubt_panel(picture)[:SIDE] for picture in pictures]
    np.testing.assert_array_equal(*squares)
    assert (pictures[0] == HEART.colour).all(axis=2).any()
