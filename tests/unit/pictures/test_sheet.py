"""Cells lie where rows and columns say."""

import numpy as np
import pytest

from lungcli.pictures.sheet import Tile, contact_sheet, grid
from lungcli.pictures.views import Key

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]


def plain(colour, shape=(20, 20)):
    return np.broadcast_to(np.array(colour, np.uint8), (*shape, 3)).copy()


def found(sheet, colour):
    """Return the box (top, left, bottom, right) of a colour."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_tiles_in_reading_order():
    tiles = [Tile(f"case {n}", plain(colour)) for n, colour in enumerate(COLOURS)]
    sheet = contact_sheet(tiles, columns=2, side=64)
    first, second, third = (found(sheet, colour) for colour in COLOURS)
    assert first[0] == second[0] < third[0]
    assert first[1] == third[1] < second[1]
    assert first[2] - first[0] == first[3] - first[1] == 64


def test_tile_keeps_its_aspect_and_is_centred():
    sheet = contact_sheet([Tile("x", plain(COLOURS[0], (10, 20)))], side=64)
    top, left, bottom, right = found(sheet, COLOURS[0])
    assert (bottom - top, right - left) == (32, 64)
    assert sheet.shape[0] - bottom == 6 + 16


@pytest.mark.parametrize("caption", ["", "肺" * 300, "a" * 5000])
def test_any_caption_stays_in_its_column(caption):
    quiet = contact_sheet([Tile("", plain(COLOURS[0]))] * 2, columns=2, side=64)
    tiles = [Tile(caption, plain(COLOURS[0])), Tile("", plain(COLOURS[0]))]
    loud = contact_sheet(tiles, columns=2, side=64)
    assert loud.shape == quiet.shape
    np.testing.assert_array_equal(loud[:, 72:], quiet[:, 72:])


def test_title_and_legend_stand_above_and_move_nothing():
    tiles = [Tile("x", plain(COLOURS[0]), "0.987")] * 4
    bare = contact_sheet(tiles, columns=2, side=128)
    legend = (Key(COLOURS[1], "agreed"), Key(COLOURS[2], "missed"))
    titled = contact_sheet(tiles, columns=2, side=128, title="all", legend=legend)
    top = len(titled) - len(bare)
    np.testing.assert_array_equal(titled[top:], bare)
    assert found(titled, COLOURS[1])[2] <= top
    assert found(titled, COLOURS[1])[3] < found(titled, COLOURS[2])[1]


def test_a_value_is_whole_where_the_caption_is_shortened():
    """The value of a crowded tile is drawn as that of one with nothing else."""
    alone, crowded = (
        contact_sheet([Tile(name, plain(COLOURS[0]), "0.987")], side=128)[:14]
        for name in ("", "W" * 50)
    )
    value = bright_columns(alone)
    assert value.any()
    drawn = crowded[:, bright_columns(crowded)]
    np.testing.assert_array_equal(drawn[:, : value.sum()], alone[:, value])


def bright_columns(bar):
    """Return where letters in the colour of values are; captions are darker."""
    return (bar > 160).all(axis=2).any(axis=0)


@pytest.mark.parametrize(("num", "columns", "side"), [(0, 1, 9), (1, 0, 9), (1, 1, 0)])
def test_empty_sheet_is_refused(num, columns, side):
    with pytest.raises(ValueError, match="each must be at least 1"):
        contact_sheet([Tile("", plain(0))] * num, columns=columns, side=side)


def test_grid_keeps_pixels_and_places():
    rows = [[plain(COLOURS[0]), plain(COLOURS[1])], [plain(COLOURS[2]), plain(9)]]
    sheet = grid(rows, column_titles=["original", "1"], row_titles=["a", "b"])
    boxes = [found(sheet, colour) for colour in COLOURS]
    assert all(b[2] - b[0] == b[3] - b[1] == 20 for b in boxes)
    assert boxes[0][0] == boxes[1][0] < boxes[2][0]
    assert boxes[0][1] == boxes[2][1] < boxes[1][1]


@pytest.mark.parametrize(
    ("rows", "column_titles", "row_titles"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([[]], [], ["a"], id="empty-row"),
        pytest.param([[plain(1)]], ["a", "b"], ["c"], id="columns"),
        pytest.param([[plain(1)]], ["a"], [], id="rows"),
        pytest.param([[plain(1)], [plain(1)] * 2], ["a"], ["b", "c"], id="ragged"),
    ],
)
def test_titles_must_match(rows, column_titles, row_titles):
    with pytest.raises(ValueError, match="grid of rows"):
        grid(rows, column_titles=column_titles, row_titles=row_titles)
