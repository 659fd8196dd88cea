"""Distances of contours: by hand, by law, and by three other implementations."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import surface_distance
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion, distance_transform_edt
from scipy.spatial.distance import directed_hausdorff

from lungcli.metrics.surface import (
    SurfaceDistances,
    assd,
    contour,
    hausdorff,
    hd95,
    surface_dice,
    surface_distances,
)

GOLDEN = Path(__file__).parents[2] / "golden"
shapes = runpy.run_path(str(GOLDEN / "random_shapes.py"))
draw_pair, SEEDS = shapes["draw_pair"], range(shapes["CASES"])

in_google = pytest.mark.filterwarnings(
    "ignore:Please import .* from the .scipy.ndimage. namespace:DeprecationWarning"
)
MASKS = arrays(np.bool_, (7, 9))
SPACING = st.tuples(*[st.sampled_from([0.1, 0.25, 1.0, 3.0])] * 2)


def measure_all(reference, predicted, spacing=(1.0, 1.0), tolerance=1.0):
    distances = surface_distances(reference, predicted, spacing)
    return {
        "hd": hausdorff(distances),
        "hd95": hd95(distances),
        "assd": assd(distances),
        "nsd": surface_dice(distances, tolerance),
    }


def equal(expected):
    return pytest.approx(expected, nan_ok=True)


def drawn(*rows):
    return np.array([[letter == "#" for letter in row] for row in rows])


NOTHING = drawn("....", "....")
SQUARE = drawn("......", ".###..", ".###..", ".###..", "......")
SHIFTED = drawn("......", "..###.", "..###.", "..###.", "......")


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param(
            drawn("......", ".####.", ".####.", ".####.", "......"),
            drawn("......", ".####.", ".#..#.", ".####.", "......"),
            id="inside",
        ),
        pytest.param(
            drawn("####", "####", "####"),
            drawn("####", "#..#", "####"),
            id="the edge of the image is a border",
        ),
        pytest.param(
            drawn(".....", "..#..", ".###.", "..#..", "....."),
            drawn(".....", "..#..", ".#.#.", "..#..", "....."),
            id="four neighbours, not eight",
        ),
        pytest.param(
            drawn("#####", "#####", "##.##", "#####", "#####"),
            drawn("#####", "#.#.#", "##.##", "#.#.#", "#####"),
            id="holes have one",
        ),
        pytest.param(drawn("#"), drawn("#"), id="one pixel"),
        pytest.param(drawn("##", "##"), drawn("##", "##"), id="four pixels"),
        pytest.param(NOTHING, NOTHING, id="empty"),
    ],
)
def test_contour(mask, expected):
    assert contour(mask).tolist() == expected.tolist()


def test_two_pixels_by_hand():
    one = drawn("#....", ".....", ".....", ".....")
    other = drawn(".....", ".....", ".....", "....#")
    for metric in (hausdorff, hd95, assd):
        assert metric(surface_distances(one, other)) == 5
        anisotropic = surface_distances(one, other, spacing=(4.0, 1.25))
        assert metric(anisotropic) == 13  # rows 3 × 4, columns 4 × 1.25


def test_shifted_square_by_hand():
    """Of eight contour pixels each, four lie on the other contour."""
    distances = surface_distances(SQUARE, SHIFTED)
    assert sorted(distances.from_reference) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (hausdorff(distances), hd95(distances), assd(distances)) == (1, 1, 0.5)
    assert surface_dice(distances, 0) == 0.5
    assert surface_dice(distances, 1) == 1


def test_hd95_is_the_larger_direction_interpolated():
    distances = SurfaceDistances(np.arange(11.0), np.zeros(100))
    assert hd95(distances) == pytest.approx(9.5)  # pooled it would be 4.5
    assert hd95(SurfaceDistances(*distances[::-1])) == pytest.approx(9.5)


def test_assd_and_surface_dice_pool_the_pixels():
    distances = SurfaceDistances(np.array([3.0]), np.array([0.0, 0.0, 1.0]))
    assert assd(distances) == 1
    assert surface_dice(distances, 2) == 0.75


def test_a_tolerance_of_three_pixels_holds_three_pixels():
    one, other = drawn("#..."), drawn("...#")
    tenths = surface_distances(one, other, (0.1, 0.1))
    assert hausdorff(tenths) > 0.3  # 3 × 0.1 in floating point
    assert surface_dice(tenths, 0.3) == 1
    assert surface_dice(tenths, 0.299) == 0


@pytest.mark.parametrize(
    ("reference", "predicted", "expected"),
    [
        pytest.param(NOTHING, NOTHING, [math.nan] * 4, id="both"),
        pytest.param(NOTHING, ~NOTHING, [math.inf] * 3 + [0], id="reference"),
        pytest.param(~NOTHING, NOTHING, [math.inf] * 3 + [0], id="predicted"),
    ],
)
def test_empty_masks(reference, predicted, expected):
    assert [*measure_all(reference, predicted).values()] == equal(expected)


def test_an_image_without_pixels_has_no_contour():
    empty = np.zeros((0, 0), bool)
    assert math.isnan(hausdorff(surface_distances(empty, empty)))


@given(one=MASKS, other=MASKS, spacing=SPACING)
def test_symmetric(one, other, spacing):
    forth, back = measure_all(one, other, spacing), measure_all(other, one, spacing)
    assert forth == equal(back)


@given(mask=MASKS.filter(np.any))
def test_a_mask_is_not_away_from_itself(mask):
    assert measure_all(mask, mask) == {"hd": 0, "hd95": 0, "assd": 0, "nsd": 1}


@given(one=MASKS, other=MASKS, shift=st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_place_in_the_image_does_not_matter(one, other, shift):
    def placed(mask):
        canvas = np.zeros((14, 16), bool)
        rows, columns = mask.shape
        canvas[shift[0] : shift[0] + rows, shift[1] : shift[1] + columns] = mask
        return canvas

    assert measure_all(placed(one), placed(other)) == equal(measure_all(one, other))


@given(one=MASKS, other=MASKS, spacing=SPACING)
def test_turned_and_mirrored_alike(one, other, spacing):
    straight = measure_all(one, other, spacing)
    assert measure_all(one.T, other.T, spacing[::-1]) == equal(straight)
    assert measure_all(one[:, ::-1], other[:, ::-1], spacing) == equal(straight)


@given(one=MASKS, other=MASKS, spacing=SPACING, factor=st.floats(0.01, 100))
def test_grows_with_the_spacing(one, other, spacing, factor):
    found = surface_distances(one, other, spacing)
    larger = surface_distances(one, other, (spacing[0] * factor, spacing[1] * factor))
    for metric in (hausdorff, hd95, assd):
        assert metric(larger) == equal(factor * metric(found))
        assert metric(found.scaled(factor)) == equal(metric(larger))


@given(one=MASKS, other=MASKS)
def test_order(one, other):
    distances = surface_distances(one, other)
    if one.any() and other.any():
        assert assd(distances) <= hausdorff(distances) + 1e-12
        assert hd95(distances) <= hausdorff(distances)
        assert surface_dice(distances, hausdorff(distances)) == 1
        assert surface_dice(distances, 1) <= surface_dice(distances, 2)


def test_hausdorff_agrees_with_scipy():
    for seed in SEEDS:
        reference, predicted, spacing, _ = draw_pair(seed)
        ours = np.argwhere(contour(reference)) * spacing
        theirs = np.argwhere(contour(predicted)) * spacing
        there, back = directed_hausdorff(ours, theirs), directed_hausdorff(theirs, ours)
        found = hausdorff(surface_distances(reference, predicted, spacing))
        assert found == pytest.approx(max(there[0], back[0]), abs=1e-12), seed


def test_distances_agree_with_distance_transforms():
    for seed in SEEDS:
        reference, predicted, spacing, tolerance = draw_pair(seed)
        borders = [mask & ~binary_erosion(mask) for mask in (reference, predicted)]
        maps = [distance_transform_edt(~border, sampling=spacing) for border in borders]
        expected = maps[1][borders[0]], maps[0][borders[1]]
        found = surface_distances(reference, predicted, spacing)
        for ours, theirs in zip(found, expected, strict=True):
            assert np.sort(ours) == pytest.approx(np.sort(theirs), abs=1e-12), seed
        pooled = np.concatenate(expected)
        assert assd(found) == pytest.approx(pooled.sum() / len(pooled)), seed
        assert surface_dice(found, tolerance) == np.mean(pooled <= tolerance), seed


def test_agrees_with_monai():
    """MONAI calculates in single precision; see tests/golden/monai_distances.py."""
    document = json.loads((GOLDEN / "monai_distances.json").read_text())
    assert len(document["cases"]) == len(SEEDS)
    for expected in document["cases"]:
        pair = draw_pair(expected["seed"])
        assert np.sum(pair.reference) + np.sum(pair.predicted) == expected["area"]
        found = measure_all(*pair)
        assert found == pytest.approx(
            {name: expected[name] for name in found}, rel=1e-5, abs=1e-6
        ), expected["seed"]


@in_google
def test_hausdorff_agrees_with_google_within_a_pixel():
    """Its contour runs through the corners of pixels, half a diagonal off ours."""
    for seed in SEEDS:
        reference, predicted, spacing, _ = draw_pair(seed)
        theirs = surface_distance.compute_surface_distances(
            reference, predicted, spacing_mm=spacing
        )
        expected = surface_distance.compute_robust_hausdorff(theirs, 100)
        found = hausdorff(surface_distances(reference, predicted, spacing))
        assert abs(found - expected) <= math.hypot(*spacing) + 1e-9, seed


@in_google
@pytest.mark.parametrize("shift", range(7))
def test_lung_like_shapes_agree_with_google(shift):
    """It weighs a contour by its length, we by pixels: alike if these are square."""
    rows, columns = np.indices((120, 100))
    reference = ((rows - 60) / 45) ** 2 + ((columns - 40) / 25) ** 2 < 1
    predicted = ((rows - 62) / 42) ** 2 + ((columns - 40 - shift) / 24) ** 2 < 1
    found = measure_all(reference, predicted, (0.5, 0.5), tolerance=1.5)
    theirs = surface_distance.compute_surface_distances(
        reference, predicted, spacing_mm=(0.5, 0.5)
    )
    both_ways = surface_distance.compute_average_surface_distance(theirs)
    percentile = surface_distance.compute_robust_hausdorff(theirs, 95)
    share = surface_distance.compute_surface_dice_at_tolerance(theirs, 1.5)
    assert found["assd"] == pytest.approx(np.mean(both_ways), abs=0.1)
    assert found["hd95"] == pytest.approx(percentile, abs=0.5)
    assert found["nsd"] == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("reference", "predicted", "message"),
    [
        (np.ones((2, 2), bool), np.ones((2, 2)), "predicted must be a 2-D boolean"),
        (np.ones((2, 2), bool), np.ones((2, 3), bool), "differ"),
    ],
)
def test_wrong_masks_are_named(reference, predicted, message):
    with pytest.raises(ValueError, match=message):
        surface_distances(reference, predicted)
