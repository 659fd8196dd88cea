"""From probabilities to label maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lungcli.anatomy import STRUCTURES
from lungcli.masks.labels import (
    clean_probabilities,
    label_map,
    lung_mask,
    threshold_labels,
    threshold_planes,
)

ALL = tuple(structure.label for structure in STRUCTURES)


@pytest.fixture
def chest():
    """Two clear lungs: right in columns 2-7, left in columns 12-17."""
    probabilities = np.zeros((20, 20, 2), np.float32)
    probabilities[4:16, 2:8, 0] = 0.9
    probabilities[4:16, 12:18, 1] = 0.9
    return probabilities


def test_sides_and_background(chest):
    labels = label_map(chest)
    assert labels.dtype == np.uint8
    assert (labels[4:16, 2:8] == 1).all()
    assert (labels[4:16, 12:18] == 2).all()
    assert np.count_nonzero(labels) == 2 * 12 * 6


def test_doubt_about_the_side_is_no_doubt_about_lung(chest):
    chest[4:16, 2:8] = (0.45, 0.4)
    assert (label_map(chest)[4:16, 2:8] == 1).all()


def test_threshold(chest):
    chest *= 0.5
    assert not label_map(chest).any()
    assert label_map(chest, threshold=0.4).any()
    assert np.count_nonzero(lung_mask(chest, threshold=0.4)) == 2 * 12 * 6


def test_specks_are_dropped(chest):
    chest[0, 0, 0] = 1
    chest[19, 10:12, 1] = 1
    assert np.count_nonzero(label_map(chest)) == 2 * 12 * 6


def test_a_large_second_part_is_kept(chest):
    chest[10, 2:8, 0] = 0  # a fissure, an effusion
    assert np.count_nonzero(label_map(chest) == 1) == 11 * 6


def test_holes_are_filled(chest):
    chest[8:10, 4:6, 0] = 0
    assert (label_map(chest)[8:10, 4:6] == 1).all()


def test_a_speck_of_the_other_side_inside_a_lung_joins_it(chest):
    chest[8, 4] = (0.1, 0.8)
    assert (label_map(chest)[4:16, 2:8] == 1).all()


def test_a_speck_of_the_other_side_at_the_edge_of_a_lung_joins_it(chest):
    chest[8:10, 2] = (0.1, 0.8)
    labels = label_map(chest)
    assert (labels[4:16, 2:8] == 1).all()
    assert np.count_nonzero(labels == 2) == 12 * 6


def test_a_speck_is_no_lung_where_the_lung_was_missed(chest):
    chest[..., 1] = 0
    chest[2, 15, 1] = 1
    assert not (label_map(chest) == 2).any()


def test_a_small_lung_is_a_lung(chest):
    chest[..., 1] = 0
    chest[10:12, 14:16, 1] = 1
    assert np.count_nonzero(label_map(chest) == 2) == 4


def test_lungs_that_touch_stay_two(chest):
    chest[4:16, 8:12, 0] = 0.9
    labels = label_map(chest)
    assert (labels[4:16, 2:12] == 1).all()
    assert (labels[4:16, 12:18] == 2).all()


def test_a_bay_at_the_border_of_the_box_is_no_hole(chest):
    chest[4:8, 4:6, 0] = 0  # open to the top
    assert not label_map(chest)[4:8, 4:6].any()


def test_nothing_found():
    assert not label_map(np.zeros((8, 8, 2), np.float32)).any()


def test_filling_agrees_with_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        noise = ndimage.gaussian_filter(rng.normal(size=(40, 40)), 2)
        probabilities = np.zeros((40, 40, 2), np.float32)
        probabilities[..., 0] = noise > 0
        parts, count = ndimage.label(noise > 0)
        areas = ndimage.sum_labels(noise > 0, parts, range(1, count + 1))
        kept = np.isin(parts, 1 + np.flatnonzero(areas >= 0.25 * areas.max()))
        expected = ndimage.binary_fill_holes(kept)
        np.testing.assert_array_equal(label_map(probabilities) == 1, expected)


@given(
    seed=st.integers(0, 10_000), blur=st.floats(0.5, 4), threshold=st.floats(0.2, 0.8)
)
@settings(max_examples=60, deadline=None)
def test_cleaned_probabilities_need_the_threshold_only(seed, blur, threshold):
    noise = np.random.default_rng(seed).random((40, 40, 2), np.float32)
    blobs = ndimage.gaussian_filter(noise, (blur, blur, 0)) - 0.5
    blobs = np.clip(blobs / (2 * blobs.std()) / 2 + 0.25, 0, 0.5).astype(np.float32)
    before = blobs.copy()
    cleaned = clean_probabilities(blobs, threshold=threshold)
    np.testing.assert_array_equal(
        threshold_labels(cleaned, threshold=threshold),
        label_map(blobs, threshold=threshold),
    )
    np.testing.assert_array_equal(blobs, before)


def test_the_likelier_side_wins_and_a_tie_is_right():
    probabilities = np.array([[[0.3, 0.3], [0.2, 0.4], [0.1, 0.2]]], np.float32)
    assert threshold_labels(probabilities).tolist() == [[1, 2, 0]]


@pytest.fixture
def heart(chest):
    """The same with a heart in rows 10-15, columns 8-11, between the lungs."""
    probabilities = np.zeros((20, 20, 3), np.float32)
    probabilities[..., :2] = chest
    probabilities[10:16, 8:12, 2] = 0.8
    return probabilities


def heart_of(probabilities):
    return label_map(probabilities, channels=ALL) == 3


def test_a_heart_between_the_lungs(heart, chest):
    labels = label_map(heart, channels=ALL)
    assert (labels[10:16, 8:12] == 3).all()
    assert np.count_nonzero(labels == 3) == 6 * 4
    labels[labels == 3] = 0
    np.testing.assert_array_equal(labels, label_map(chest))


@pytest.mark.parametrize(
    ("probabilities", "label"),
    [
        pytest.param((0.2, 0.2, 0.6), 3, id="heart"),
        pytest.param((0.3, 0.3, 0.4), 1, id="lung"),
        pytest.param((0.25, 0.2, 0.45), 0, id="neither reaches the threshold"),
        pytest.param((0.1, 0.4, 0.5), 2, id="as likely as lung"),
        pytest.param((0.0, 0.0, 0.5), 3, id="at the threshold"),
    ],
)
def test_what_a_pixel_is(probabilities, label):
    pixel = np.array([[probabilities]], np.float32)
    assert threshold_labels(pixel, channels=ALL).tolist() == [[label]]
    planes = list(np.moveaxis(pixel, -1, 0))
    assert threshold_planes(planes, threshold=0.5, channels=ALL).tolist() == [[label]]


def test_below_one_half_the_likelier_one_wins():
    pixels = np.array([[[0.2, 0.2, 0.45], [0.2, 0.25, 0.4]]], np.float32)
    labels = threshold_labels(pixels, threshold=0.35, channels=ALL)
    assert labels.tolist() == [[3, 2]]


def test_the_heart_is_no_lung(heart):
    assert not lung_mask(heart)[10:16, 8:12].any()


def test_a_speck_of_heart_in_a_lung_joins_it(heart):
    heart[8, 4] = (0.1, 0, 0.9)
    assert (label_map(heart, channels=ALL)[4:16, 2:8] == 1).all()


def test_a_speck_of_heart_is_dropped(heart):
    heart[0, 0, 2] = 1
    assert np.count_nonzero(heart_of(heart)) == 6 * 4


def test_holes_of_a_heart_are_filled(heart):
    heart[12, 9] = 0
    heart[13, 10] = (0.9, 0, 0)  # a speck of lung
    assert heart_of(heart)[10:16, 8:12].all()


def test_another_number_of_channels_is_refused(heart):
    with pytest.raises(ValueError, match="3 channels for the labels 1, 2"):
        label_map(heart)


@given(
    seed=st.integers(0, 10_000), blur=st.floats(0.5, 4), threshold=st.floats(0.2, 0.8)
)
@settings(max_examples=60, deadline=None)
def test_cleaned_probabilities_of_a_heart_need_the_threshold_only(
    seed, blur, threshold
):
    noise = np.random.default_rng(seed).random((40, 40, 3), np.float32)
    blobs = ndimage.gaussian_filter(noise, (blur, blur, 0)) - 0.5
    blobs = np.exp(4 * blobs / blobs.std()).astype(np.float32)
    blobs /= blobs.sum(axis=-1, keepdims=True) + 1
    cleaned = clean_probabilities(blobs, threshold=threshold, channels=ALL)
    np.testing.assert_array_equal(
        threshold_labels(cleaned, threshold=threshold, channels=ALL),
        label_map(blobs, threshold=threshold, channels=ALL),
    )
