import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.data.geometry import (
    Geometry,
    content_of,
    fit_square,
    labels_to_square,
    resize_labels,
    resize_square,
    to_square,
)
from lungcli.data.restoring import from_square

SIDES = st.integers(1, 600)


def two_lungs(height, width):
    rows, columns = np.mgrid[:height, :width]
    rows, columns = (rows + 0.5) / height, (columns + 0.5) / width
    labels = np.zeros((height, width), np.uint8)
    tall = ((rows - 0.5) / 0.37) ** 2
    labels[tall + ((columns - 0.3) / 0.14) ** 2 < 1] = 1
    labels[tall + ((columns - 0.68) / 0.12) ** 2 < 1] = 2
    return labels


def centre(mask):
    """Centre of mass in continuous coordinates: pixel 0 spans 0 to 1."""
    rows, columns = np.nonzero(mask)
    return np.array([rows.mean() + 0.5, columns.mean() + 0.5])


def area_and_centre_on_original(square, geometry, label):
    scale = np.array(
        [
            geometry.height / geometry.content_height,
            geometry.width / geometry.content_width,
        ]
    )
    offset = np.array([geometry.top, geometry.left])
    mask = square == label
    return mask.sum() * scale.prod(), (centre(mask) - offset) * scale


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [
        pytest.param((4, 2), 4, (0, 1, 4, 2), id="portrait"),
        pytest.param((2, 4), 4, (1, 0, 2, 4), id="landscape"),
        pytest.param((4, 3), 4, (0, 0, 4, 3), id="odd pixel to the right"),
        pytest.param((4020, 4892), 512, (45, 0, 421, 512), id="montgomery"),
        pytest.param((1, 900), 64, (31, 0, 1, 64), id="never empty"),
    ],
)
def test_fit_square(shape, side, expected):
    geometry = fit_square(*shape, side)
    assert geometry == Geometry(*shape, side, *expected)


@given(height=SIDES, width=SIDES, side=SIDES)
def test_content_lies_in_the_square_with_its_aspect_kept(height, width, side):
    g = fit_square(height, width, side)
    assert g.top >= 0
    assert g.left >= 0
    assert g.top + g.content_height <= side
    assert g.left + g.content_width <= side
    assert side in (g.content_height, g.content_width)
    assert abs(g.top - (side - g.content_height - g.top)) <= 1
    scale = side / max(height, width)
    assert abs(g.content_height - max(1, height * scale)) <= 0.5
    assert abs(g.content_width - max(1, width * scale)) <= 0.5


@pytest.mark.parametrize("arguments", [(0, 5, 5), (5, 0, 5), (5, 5, 0)])
def test_fit_square_refuses_nothing(arguments):
    with pytest.raises(ValueError, match="must be at least 1"):
        fit_square(*arguments)


@given(
    height=st.integers(20, 300), width=st.integers(20, 300), side=st.integers(8, 300)
)
@settings(max_examples=50, deadline=None)
def test_smooth_image_survives_the_round_trip(height, width, side):
    rows, columns = np.mgrid[:height, :width]
    gray = (40 + 80 * rows / height + 80 * columns / width).astype(np.uint8)
    geometry = fit_square(height, width, side)
    square = to_square(gray, geometry)
    back = from_square(square.astype(np.float32), geometry)
    assert back.shape == gray.shape
    step = 80 / geometry.content_height + 80 / geometry.content_width
    assert np.abs(back - gray).max() <= 2 + step


@given(height=st.integers(5, 90), width=st.integers(5, 90), model=st.integers(3, 120))
@settings(max_examples=50, deadline=None)
def test_padding_never_leaks_into_the_original(height, width, model):
    geometry = fit_square(height, width, model)
    values = np.full((model, model), 7.0, np.float32)
    rows = slice(geometry.top, geometry.top + geometry.content_height)
    columns = slice(geometry.left, geometry.left + geometry.content_width)
    values[rows, columns] = 1.0
    assert (from_square(values, geometry) == 1.0).all()


@pytest.mark.parametrize("shape", [(1005, 1223), (1223, 1005), (700, 700), (300, 500)])
@pytest.mark.parametrize("side", [512, 256])
@pytest.mark.parametrize("label", [1, 2])
def test_labels_keep_area_and_place(shape, side, label):
    labels = two_lungs(*shape)
    geometry = fit_square(*shape, side)
    square = labels_to_square(labels, geometry)
    area, middle = area_and_centre_on_original(square, geometry, label)
    assert area == pytest.approx((labels == label).sum(), rel=0.01)
    assert middle == pytest.approx(centre(labels == label), abs=0.5)


@pytest.mark.parametrize("model_side", [512, 384, 251, 128])
@pytest.mark.parametrize("label", [1, 2])
def test_model_of_another_size_maps_back_without_drift(model_side, label):
    labels = two_lungs(1005, 1223)
    geometry = fit_square(1005, 1223, 512)
    square = labels_to_square(labels, geometry)
    small = resize_labels(square, model_side)
    probabilities = np.stack([small == 1, small == 2], axis=-1).astype(np.float32)
    back = from_square(probabilities, geometry)
    assert back.shape == (1005, 1223, 2)
    found, drawn = back[..., label - 1] >= 0.5, labels == label
    assert found.sum() == pytest.approx(drawn.sum(), rel=0.01)
    # Half a pixel of the model's grid at the very most.
    assert centre(found) == pytest.approx(centre(drawn), abs=0.5 * 1223 / model_side)


def test_a_pixel_goes_to_the_lung_with_the_larger_share():
    labels = np.array([[1, 2, 2], [2, 2, 1], [2, 1, 2]], np.uint8)
    assert labels_to_square(labels, fit_square(3, 3, 1)).tolist() == [[2]]


def test_labels_are_never_interpolated():
    labels = two_lungs(333, 477)
    for side in (64, 333, 800):
        square = labels_to_square(labels, fit_square(333, 477, side))
        assert set(np.unique(square)) == {0, 1, 2}
        assert square.dtype == np.uint8


def test_same_size_is_untouched():
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert (to_square(gray, fit_square(8, 8, 8)) == gray).all()
    assert resize_square(gray, 8) is gray
    assert resize_labels(gray, 8) is gray
    assert (from_square(gray.astype(np.float32), fit_square(8, 8, 8)) == gray).all()


def test_content_of_undoes_the_padding():
    gray = np.arange(32, dtype=np.uint8).reshape(4, 8)
    geometry = fit_square(4, 8, 8)
    assert (content_of(to_square(gray, geometry), geometry) == gray).all()


def test_wrong_grids_are_refused():
    geometry = fit_square(4, 8, 8)
    with pytest.raises(ValueError, match="not on the geometry's grid of 4×8"):
        to_square(np.zeros((8, 4), np.uint8), geometry)


@pytest.mark.parametrize("side", [64, 700])
def test_other_labels_leave_the_lungs_as_they_are(side):
    lungs = two_lungs(333, 477)
    labels = lungs.copy()
    labels[100:250, 180:300][labels[100:250, 180:300] == 0] = 3
    labels[:40] = 255
    geometry = fit_square(333, 477, side)
    square = labels_to_square(labels, geometry)
    alone = labels_to_square(lungs, geometry)
    assert (np.where(square <= 2, square, 0) == alone).all()
    for label in (3, 255):
        area, middle = area_and_centre_on_original(square, geometry, label)
        assert area == pytest.approx((labels == label).sum(), rel=0.1)
        half_a_pixel = 477 / side / 2
        assert middle == pytest.approx(centre(labels == label), abs=half_a_pixel)
