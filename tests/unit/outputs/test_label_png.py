"""Label maps as PNG: read back by two decoders, checked against the standard."""

import io

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lungcli.errors import OutputError
from lungcli.outputs.label_png import encode_labels, write_label_png

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.integers(0, 2),
)


def test_what_is_written_is_read_back(labels, tmp_path):
    path = write_label_png(labels, tmp_path / "ward" / "chest.png")
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), labels)
    np.testing.assert_array_equal(iio.imread(path, plugin="pillow"), labels)


@given(labels=LABELS)
def test_any_labels(labels, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.png"
    path.write_bytes(encode_labels(labels))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), labels)


def test_rows_need_not_lie_side_by_side_in_memory(lungs):
    assert encode_labels(np.asfortranarray(lungs)) == encode_labels(lungs)
    assert encode_labels(lungs[::2, ::2]) == encode_labels(lungs[::2, ::2].copy())


def test_smooth_shapes_stay_small():
    row, column = np.mgrid[:500, :500]
    disc = ((row - 250) ** 2 + (column - 250) ** 2 < 200**2).astype(np.uint8)
    assert len(encode_labels(disc)) < disc.size / 50


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(np.zeros((2, 2), np.int64), id="type"),
        pytest.param(np.zeros((2, 2, 3), np.uint8), id="dimensions"),
        pytest.param(np.zeros((0, 2), np.uint8), id="empty"),
    ],
)
def test_no_label_map(labels):
    with pytest.raises(ValueError, match="must be 2-D, uint8, not empty"):
        encode_labels(labels)


def test_a_place_that_cannot_be_written(lungs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_label_png(lungs, tmp_path / "file" / "chest.png")


def test_a_heart_is_read_back(chest):
    with Image.open(io.BytesIO(encode_labels(chest))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), chest)
