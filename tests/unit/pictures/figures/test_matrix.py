"""The train by test table: numbers, frames, names, colours."""

import math

import numpy as np
import pytest

from lungcli.pictures.figures.matrix import Cell, _colour_range, draw_matrix
from lungcli.pictures.figures.theme import to_rgb

NAN = math.nan
CELLS = [
    [Cell(0.978, 0.972, 0.983, seen=True), Cell(0.934, 0.92, 0.941, seen=False)],
    [None, Cell(0.9, NAN, NAN, seen=False)],
    [Cell(NAN, NAN, NAN, seen=False), Cell(1.0, 1.0, 1.0, seen=True)],
]
ROWS, COLUMNS = ["a", "b", "c"], ["x", "y"]


def draw(rows=ROWS, columns=COLUMNS, cells=CELLS):
    return draw_matrix(rows, columns, cells, title="Dice")


def written(figure):
    """Return the texts of each cell, `{(row, column): [text, ...]}`."""
    texts = {}
    for text in figure.axes[0].texts:
        x, y = text.get_position()
        texts.setdefault((int(y), int(x)), []).append(text.get_text())
    return texts


def test_every_cell_is_written():
    assert written(draw()) == {
        (0, 0): ["0.978", "0.972–0.983"],
        (0, 1): ["0.934", "0.920–0.941"],
        (1, 0): ["not measured"],
        (1, 1): ["0.900"],
        (2, 0): ["undefined"],
        (2, 1): ["1.000", "1.000–1.000"],
    }


def test_cells_that_were_trained_on_are_framed_and_explained():
    (axes,) = draw().axes
    framed = {(int(frame.get_y()), int(frame.get_x())) for frame in axes.patches}
    assert framed == {(0, 0), (2, 1)}
    (text,) = axes.get_legend().get_texts()
    assert text.get_text() == "the model was trained on some of these cases"


def test_without_frames_no_legend():
    (axes,) = draw(["a"], ["x"], [[Cell(0.5, 0.4, 0.6, seen=False)]]).axes
    assert axes.get_legend() is None


def test_the_first_row_is_on_top():
    (axes,) = draw().axes
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ROWS
    assert [tick.get_text() for tick in axes.get_xticklabels()] == COLUMNS


def test_a_better_cell_is_brighter():
    means = [0.5, 0.6, 0.7, 0.8, 0.9]
    cells = [[Cell(mean, NAN, NAN, seen=False) for mean in means]]
    figure = draw(["a"], list("vwxyz"), cells)
    picture = to_rgb(figure)
    mesh = figure.axes[0].collections[0]
    left, bottom, right, top = mesh.get_window_extent().extents
    row = picture.shape[0] - round(bottom + 0.9 * (top - bottom))
    columns = np.linspace(left, right, 11)[1::2].astype(int)
    brightness = picture[row, columns].sum(axis=1)
    assert (np.diff(brightness) > 0).all()


@pytest.mark.parametrize("count", [1, 3, 9])
def test_long_names_leave_room_for_the_cells(count):
    names = [f"chest_xrays_of_hospital_number_{number}" for number in range(count)]
    cells = [[Cell(0.9, 0.8, 1.0, seen=False)] * count] * count
    figure = draw(names, names, cells)
    to_rgb(figure)  # lays it out
    cell = figure.axes[0].get_window_extent().width / count
    assert cell >= 0.6 * figure.dpi


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        pytest.param([0.961, 0.979], (0.9, 1.0), id="good"),
        pytest.param([0.93, 0.979], (0.9, 1.0), id="lower"),
        pytest.param([0.42, 0.9], (0.4, 0.9), id="wide"),
        pytest.param([0.95], (0.9, 1.0), id="one"),
        pytest.param([1.0], (0.9, 1.0), id="perfect"),
        pytest.param([0.0, NAN], (0.0, 0.1), id="nothing right"),
        pytest.param([NAN], (0.0, 1.0), id="nothing"),
    ],
)
def test_colour_range(means, expected):
    assert _colour_range(np.array(means)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "columns", "cells"),
    [
        pytest.param(["a"], ["x"], [[None, None]], id="too many cells"),
        pytest.param(["a", "b"], ["x"], [[None]], id="too few rows"),
        pytest.param([], [], [], id="nothing"),
        pytest.param(["a"], [], [[]], id="no columns"),
    ],
)
def test_cells_must_match_the_names(rows, columns, cells):
    with pytest.raises(ValueError, match="matrix of rows of"):
        draw(rows, columns, cells)
