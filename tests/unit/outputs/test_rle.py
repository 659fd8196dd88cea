"""The CSV table: by hand, there and back."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.anatomy import STRUCTURES
from lungcli.outputs.rle import (
    columns,
    encode_mask,
    rle_row,
    write_rle,
)

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.integers(0, 2),
)

#   . X X .
#   X . . X
#   X X . .
MASK = np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 0, 0]], bool)
TEXT = "2 2 5 1 8 3"  # pixels 2-3, 5 and 8-10, counted from 1 along the rows


def decoded(text, shape):
    """Read it pixel by pixel."""
    numbers = [int(number) for number in text.split()]
    line = np.zeros(shape[0] * shape[1], bool)
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        for pixel in range(start, start + length):
            line[pixel - 1] = True
    return line.reshape(shape)


def test_by_hand():
    assert encode_mask(MASK) == TEXT
    np.testing.assert_array_equal(decoded(TEXT, (3, 4)), MASK)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        pytest.param(np.zeros((3, 4), bool), "", id="empty"),
        pytest.param(np.ones((3, 4), bool), "1 12", id="full"),
        pytest.param(np.array([[False, False, True]]), "3 1", id="one-row"),
        pytest.param(np.array([[True]]), "1 1", id="one-pixel"),
    ],
)
def test_edges(mask, text):
    assert encode_mask(mask) == text
    np.testing.assert_array_equal(decoded(text, mask.shape), mask)


@given(labels=LABELS)
def test_there_and_back(labels):
    mask = labels == 1
    np.testing.assert_array_equal(decoded(encode_mask(mask), mask.shape), mask)


def test_table(lungs, make_xray, tmp_path):
    xrays = [make_xray(lungs), make_xray(np.zeros_like(lungs), name='a "b", c.png')]
    path = write_rle(map(rle_row, xrays), tmp_path / "masks.csv")
    with path.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert tuple(first) == columns()
    shape = (int(first["Height"]), int(first["Width"]))
    assert shape == (40, 50)
    assert first["image_id"] == "ward/chest.png"
    np.testing.assert_array_equal(decoded(first["Left Lung"], shape), lungs == 2)
    np.testing.assert_array_equal(decoded(first["Right Lung"], shape), lungs == 1)
    assert second["image_id"] == 'a "b", c.png'
    assert second["Left Lung"] == second["Right Lung"] == ""


def test_a_heart_is_a_column_before_the_size(make_chest, chest, tmp_path):
    nothing = make_chest(labels=np.zeros_like(chest))
    rows = map(rle_row, [make_chest(), nothing])
    path = write_rle(rows, tmp_path / "masks.csv", STRUCTURES)
    with path.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert list(first)[2:5] == ["Right Lung", "Heart", "Height"]  # as in CheXmask
    np.testing.assert_array_equal(decoded(first["Heart"], chest.shape), chest == 3)
    assert first["Heart"].split()[:2] == [str(18 * 50 + 20 + 1), "10"]
    assert second["Heart"] == ""
