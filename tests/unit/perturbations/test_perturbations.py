"""X-ray and reference change together, by as much as the level says."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.arrays import LEFT, RIGHT
from lungcli.errors import ConfigError
from lungcli.perturbations.catalogue import PERTURBATIONS, find_perturbations
from lungcli.perturbations.hiding import (
    METAL,
    SQUEEZED,
    add_marker,
    collimate,
    occlude,
)
from lungcli.perturbations.intensity import (
    add_noise,
    blur,
    clip_to_window,
    compress,
    gamma,
    invert,
    lower_contrast,
    lower_resolution,
)
from lungcli.perturbations.sample import Sample
from lungcli.perturbations.spatial import move_pixels, rotate, scale, shift
from lungcli.phantom import draw_phantom

EVERY = pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
PERCENT = st.floats(0, 100)
SEEDS = st.integers(0, 99)
NUM_LEVELS = st.integers(2, 256)


def draws(seed=0):
    return np.random.default_rng(seed)


def at(place):
    """Draws a place in [0, 1]."""
    return SimpleNamespace(random=lambda: place)


@pytest.fixture(scope="module")
def chest():
    """A phantom that is not square."""
    phantom = draw_phantom(0, 160)
    return Sample(phantom.image[10:150].copy(), phantom.labels[10:150].copy())


def disc(shape, share):
    """Where a centred disc is, its diameter a share of the shorter side."""
    rows, columns = np.indices(shape)
    far = np.hypot(rows - (shape[0] - 1) / 2, columns - (shape[1] - 1) / 2)
    return far < share * min(shape) / 2


def ways(perturbation):
    """The levels from neutral on: one way or two."""
    neutral = perturbation.levels.index(perturbation.neutral)
    both = perturbation.levels[neutral::-1], perturbation.levels[neutral:]
    return [levels for levels in both if len(levels) > 1]


class TestCatalogue:
    @EVERY
    def test_levels_are_ordered_and_hold_the_neutral_one(self, perturbation):
        levels = perturbation.levels
        assert levels in (tuple(sorted(levels)), tuple(sorted(levels, reverse=True)))
        assert len(set(levels)) == len(levels)
        assert perturbation.neutral in levels

    @EVERY
    def test_neutral_changes_nothing(self, perturbation, chest):
        assert perturbation.apply(chest, perturbation.neutral, draws()) is chest

    @EVERY
    def test_arrays_stay_what_they_are_and_the_original_is_kept(
        self, perturbation, chest
    ):
        before = [array.copy() for array in chest]
        for level in perturbation.levels:
            for array in perturbation.apply(chest, level, draws()):
                assert array.shape == chest.image.shape
                assert array.dtype == np.uint8
        for array, kept in zip(chest, before, strict=True):
            np.testing.assert_array_equal(array, kept)

    @EVERY
    def test_labels_stay_labels(self, perturbation, chest):
        for level in perturbation.levels:
            labels = perturbation.apply(chest, level, draws()).labels
            assert set(np.unique(labels)) <= {0, RIGHT, LEFT}

    # an enlarged spine may resemble the chest that it covers, and a white plate is
    # nearer to a white corner than the squeezed one: scale and marker have own tests
    @pytest.mark.parametrize(
        "perturbation",
        [p for p in PERTURBATIONS if p.name not in {"scale", "marker"}],
        ids=lambda p: p.name,
    )
    def test_the_image_differs_more_at_every_stronger_level(self, perturbation, chest):
        for levels in ways(perturbation):
            images = (perturbation.apply(chest, lvl, draws()).image for lvl in levels)
            different = [np.abs(image - chest.image.astype(float)) for image in images]
            means = [float(difference.mean()) for difference in different]
            assert means[0] == 0
            assert (np.diff(means) > 0).all(), means

    @EVERY
    def test_same_draws_same_result(self, perturbation, chest):
        level = perturbation.levels[-1]
        one, two = (perturbation.apply(chest, level, draws(3)) for _ in range(2))
        for first, second in zip(one, two, strict=True):
            np.testing.assert_array_equal(first, second)

    def test_found_in_the_order_of_the_catalogue(self):
        found = find_perturbations(["noise", "rotation", "noise"])
        assert [perturbation.name for perturbation in found] == ["rotation", "noise"]
        assert find_perturbations([]) == PERTURBATIONS

    def test_an_unknown_name_lists_the_known(self):
        message = r"called rotatoin\. Did you mean rotation\? Choose from rotation, sc"
        with pytest.raises(ConfigError, match=message):
            find_perturbations(["rotatoin"])

    @pytest.mark.parametrize(
        ("name", "level", "text"),
        [
            ("rotation", -22.4, "-22°"),
            ("scale", 0.4938, "0.494×"),
            ("noise", 0.0, "0%"),
            ("jpeg", 8.256, "8.26"),
            ("inversion", 1, "inverted"),
        ],
    )
    def test_text(self, name, level, text):
        assert find_perturbations([name])[0].text(level) == text


class TestSpatial:
    @pytest.mark.parametrize("degrees", [-60, 15, 45])
    def test_rotation_forth_and_back(self, chest, degrees):
        there = rotate(chest, degrees, draws())
        back = rotate(there, -degrees, draws())
        inside = disc(chest.image.shape, 0.95)
        difference = np.abs(back.image.astype(float) - chest.image)[inside]
        assert difference.mean() < 4
        assert (back.labels == chest.labels)[inside].mean() > 0.97

    def test_a_quarter_turn_is_counter_clockwise(self):
        square = np.arange(16, dtype=np.uint8).reshape(4, 4)
        turned = rotate(Sample(square, square % 3), 90, draws())
        np.testing.assert_array_equal(turned.image, np.rot90(square))
        np.testing.assert_array_equal(turned.labels, np.rot90(square % 3))

    def test_what_comes_from_outside_is_black_and_no_lung(self):
        white = Sample(np.full((40, 60), 200, np.uint8), np.full((40, 60), 1, np.uint8))
        for moved in (
            rotate(white, 45, draws()),
            scale(white, 0.5, draws()),
            shift(white, 30, draws()),
        ):
            outside = moved.labels == 0
            assert outside.any()
            # one pixel of the border is a mixture of both
            assert (moved.image[outside] == 0).mean() > 0.9
            assert moved.image.max() == 200

    @pytest.mark.parametrize("factor", [0.25, 0.5, 1.4, 2, 4])
    def test_scale_grows_areas_by_its_square(self, factor):
        side = 200
        labels = np.zeros((side, side), np.uint8)
        labels[disc(labels.shape, 0.2)] = RIGHT
        scaled = scale(Sample(labels * 100, labels), factor, draws())
        expected = np.count_nonzero(labels) * factor**2
        assert np.count_nonzero(scaled.labels) == pytest.approx(expected, rel=0.05)
        assert np.count_nonzero(scaled.image > 50) == pytest.approx(expected, rel=0.05)

    def test_scale_keeps_the_centre(self):
        image = np.zeros((101, 61), np.uint8)
        image[50, 30] = 255
        for factor in (0.5, 2.0):
            rows, columns = np.nonzero(scale(Sample(image, image), factor, draws())[0])
            assert rows.mean() == pytest.approx(50, abs=0.5)
            assert columns.mean() == pytest.approx(30, abs=0.5)

    @given(percent=PERCENT, seed=st.integers(0, 99))
    def test_shift_moves_both_by_whole_pixels(self, percent, seed):
        pixels = draws(9).integers(1, 255, (30, 50), np.uint8)
        moved = shift(Sample(pixels, pixels % 3), percent, draws(seed))
        direction = draws(seed).uniform(0, 2 * math.pi)
        rows = round(percent / 2 * math.sin(direction))  # percent of 50 pixels
        columns = round(percent / 2 * math.cos(direction))
        np.testing.assert_array_equal(moved.image, move_pixels(pixels, rows, columns))
        np.testing.assert_array_equal(
            moved.labels, move_pixels(pixels % 3, rows, columns)
        )

    @given(rows=st.integers(-40, 40), columns=st.integers(-60, 60))
    def test_every_pixel_goes_where_it_should(self, rows, columns):
        pixels = draws().integers(1, 255, (30, 50), np.uint8)
        moved = move_pixels(pixels, rows, columns)
        for row in range(30):
            for column in range(50):
                y, x = row - rows, column - columns
                inside = 0 <= y < 30 and 0 <= x < 50
                assert moved[row, column] == (pixels[y, x] if inside else 0)


class TestIntensity:
    @pytest.fixture
    def ramp(self):
        gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
        return Sample(gray, gray % 3)

    @pytest.mark.parametrize(
        "change",
        [
            gamma,
            lower_contrast,
            clip_to_window,
            add_noise,
            blur,
            compress,
            lower_resolution,
            invert,
        ],
    )
    def test_the_reference_stays(self, ramp, change):
        np.testing.assert_array_equal(change(ramp, 10, draws()).labels, ramp.labels)

    def test_gamma_by_hand(self, ramp):
        squared = gamma(ramp, 2, draws()).image.ravel()
        assert squared[[0, 51, 102, 255]].tolist() == [0, 10, 41, 255]
        assert (gamma(ramp, 0.5, draws()).image >= ramp.image).all()

    @pytest.mark.parametrize(
        ("place", "levels", "expected"),
        [
            pytest.param(0, 4, [0, 1, 2, 3], id="dark"),  # 127 × 3/255 = 1.49
            pytest.param(1, 4, [252, 253, 254, 255], id="bright"),
            pytest.param(0.5, 64, [96, 127, 128, 159], id="middle"),  # 31.4 and 31.6
        ],
    )
    def test_contrast_by_hand(self, ramp, place, levels, expected):
        squeezed = lower_contrast(ramp, levels, at(place)).image.ravel()
        assert squeezed[[0, 127, 128, 255]].tolist() == expected

    @given(levels=NUM_LEVELS, seed=SEEDS)
    def test_contrast_leaves_so_many_gray_levels_in_their_order(self, levels, seed):
        values = np.arange(256, dtype=np.uint8)[None]
        squeezed = lower_contrast(Sample(values, values), levels, draws(seed)).image[0]
        used = np.unique(squeezed)
        assert len(used) == levels == int(used[-1]) - int(used[0]) + 1
        assert (squeezed[:-1] <= squeezed[1:]).all()

    @given(one=NUM_LEVELS, two=NUM_LEVELS, seed=SEEDS)
    def test_fewer_gray_levels_lie_within_more(self, one, two, seed):
        values = np.arange(256, dtype=np.uint8)[None]
        few, many = (
            lower_contrast(Sample(values, values), levels, draws(seed)).image
            for levels in sorted((one, two))
        )
        assert many.min() <= few.min()
        assert few.max() <= many.max()

    def test_contrast_lies_anywhere(self, ramp):
        lows = [lower_contrast(ramp, 16, draws(n)).image.min() for n in range(99)]
        assert min(lows) < 10
        assert max(lows) > 230  # of at most 240

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            # 51 of 255 are lost, and the other 204 stretched by 1.25
            pytest.param(0, [0, 31, 64, 160, 255, 255], id="bright-end"),
            pytest.param(0.5, [0, 0, 32, 128, 223, 255], id="both-ends"),
            pytest.param(1, [0, 0, 0, 96, 191, 255], id="dark-end"),
        ],
    )
    def test_window_by_hand(self, ramp, place, expected):
        shown = clip_to_window(ramp, 20, at(place)).image.ravel()
        assert shown[[0, 25, 51, 128, 204, 255]].tolist() == expected

    def test_window_is_of_the_own_range(self):
        gray = np.array([[30, 50, 70, 90, 110]], np.uint8)
        shown = clip_to_window(Sample(gray, gray), 50, at(0)).image
        assert shown.tolist() == [[30, 70, 110, 110, 110]]

    @pytest.mark.parametrize("percent", [10, 95, 100])
    def test_one_gray_value_has_no_window(self, percent):
        flat = np.full((3, 4), 7, np.uint8)
        assert (clip_to_window(Sample(flat, flat), percent, at(0.5)).image == 7).all()

    @given(percent=PERCENT, seed=SEEDS)
    def test_window_keeps_order_black_and_white(self, percent, seed):
        values = np.arange(20, 220, dtype=np.uint8)[None]
        shown = clip_to_window(Sample(values, values), percent, draws(seed)).image[0]
        assert (shown[:-1] <= shown[1:]).all()
        assert (shown[0], shown[-1]) == (20, 219)

    @given(one=PERCENT, two=PERCENT, seed=SEEDS)
    def test_what_one_window_loses_a_narrower_loses_too(self, one, two, seed):
        values = np.arange(256, dtype=np.uint8)[None]
        wide, narrow = (
            clip_to_window(Sample(values, values), percent, draws(seed)).image
            for percent in sorted((one, two))
        )
        assert (narrow[wide == 0] == 0).all()
        assert (narrow[wide == 255] == 255).all()

    def test_all_gray_values_and_the_whole_window_are_nothing(self, ramp):
        for same in (
            lower_contrast(ramp, 256, draws()),
            clip_to_window(ramp, 0, draws()),
        ):
            np.testing.assert_array_equal(same.image, ramp.image)

    def test_inversion_twice_is_nothing(self, ramp):
        once = invert(ramp, 1, draws())
        assert once.image.ravel()[[0, 255]].tolist() == [255, 0]
        np.testing.assert_array_equal(invert(once, 1, draws()).image, ramp.image)

    @pytest.mark.parametrize("percent", [2, 10])
    def test_noise_has_its_standard_deviation(self, percent):
        flat = np.full((200, 200), 128, np.uint8)
        noisy = add_noise(Sample(flat, flat), percent, draws()).image
        assert noisy.mean() == pytest.approx(128, abs=0.5)
        assert noisy.std() == pytest.approx(2.55 * percent, rel=0.02)

    def test_blur_has_its_standard_deviation(self):
        edge = np.zeros((200, 200), np.uint8)
        edge[:, 100:] = 255
        row = blur(Sample(edge, edge), 5, draws()).image[100].astype(float)
        slope = np.diff(row) / 255
        places = np.arange(199) + 0.5
        centre = (slope * places).sum()
        assert centre == pytest.approx(99.5, abs=0.1)
        spread = math.sqrt((slope * (places - centre) ** 2).sum())
        assert spread == pytest.approx(10, rel=0.05)  # 5 % of 200 pixels

    def test_jpeg_goes_through_a_codec(self, chest):
        """The lowest quality leaves one gray value to a block of 8×8 pixels."""
        coded = compress(chest, 1, draws()).image[:136]  # whole blocks
        blocks = coded.reshape(17, 8, 20, 8)
        flat = np.ptp(blocks, axis=(1, 3)) == 0
        assert flat.mean() > 0.5
        fine = compress(chest, 95, draws()).image.astype(float)
        assert 0 < np.abs(fine - chest.image).mean() < 3

    def test_lower_resolution_averages(self):
        checks = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)
        assert set(lower_resolution(Sample(checks, checks), 2, draws()).image.flat) == {
            100
        }


class TestHiding:
    @pytest.fixture
    def two_boxes(self):
        """Right lung 20×10 pixels, left lung 10×20."""
        labels = np.zeros((60, 80), np.uint8)
        labels[10:30, 10:20] = RIGHT
        labels[30:40, 50:70] = LEFT
        return Sample(np.full((60, 80), 90, np.uint8), labels)

    def test_a_full_occlusion_hides_one_lung_and_keeps_its_reference(self, two_boxes):
        hidden = set()
        for seed in range(20):
            hid = occlude(two_boxes, 100, draws(seed))
            lung = RIGHT if hid.image[15, 15] == METAL else LEFT
            np.testing.assert_array_equal(hid.image == METAL, two_boxes.labels == lung)
            np.testing.assert_array_equal(hid.labels, two_boxes.labels)
            hidden.add(lung)
        assert hidden == {RIGHT, LEFT}

    def test_half_an_occlusion_by_hand(self, two_boxes):
        for seed in range(10):
            box = occlude(two_boxes, 50, draws(seed)).image == METAL
            assert np.count_nonzero(box) == 50  # half of 10 times half of 20 pixels
            assert len(set(two_boxes.labels[box].tolist()) - {0}) == 1

    @given(PERCENT, PERCENT, st.integers(0, 99))
    def test_a_larger_occlusion_covers_the_smaller(self, one, two, seed):
        labels = np.zeros((90, 70), np.uint8)
        labels[7:71, 13:47] = RIGHT
        sample = Sample(np.zeros((90, 70), np.uint8), labels)
        smaller, larger = (
            occlude(sample, percent, draws(seed)).image
            for percent in sorted((one, two))
        )
        assert (smaller <= larger).all()

    def test_without_lungs_nothing_is_hidden(self):
        empty = Sample(np.full((9, 9), 7, np.uint8), np.zeros((9, 9), np.uint8))
        assert (occlude(empty, 100, draws()).image == 7).all()

    def test_a_marker_of_a_quarter_by_hand(self, two_boxes):
        """Half of 60 rows and half of 80 columns, in each of the corners."""
        corners = set()
        for seed in range(20):
            marked = add_marker(two_boxes, 25, draws(seed))
            plate = marked.image == METAL
            assert np.count_nonzero(plate) == 30 * 40
            # 90 of 255 becomes 30 + 90 × 80/255 = 58.2
            assert (marked.image[~plate] == 58).all()
            np.testing.assert_array_equal(marked.labels, two_boxes.labels)
            ends = plate[::59, ::79]
            assert np.count_nonzero(ends) == 1
            corners.add(int(np.flatnonzero(ends)[0]))
        assert corners == {0, 1, 2, 3}

    @given(PERCENT, SEEDS)
    def test_a_marker_covers_its_share_of_a_squeezed_chest(self, percent, seed):
        values = np.arange(250, dtype=np.uint8).repeat(40).reshape(100, 100)
        marked = add_marker(Sample(values, values), percent, draws(seed)).image
        plate = marked == METAL
        # each of the sides of 100 pixels is rounded by up to half a pixel
        assert math.sqrt(plate.mean()) == pytest.approx(
            math.sqrt(percent / 100), abs=0.005 + 1e-9
        )
        low, high = SQUEEZED
        assert ((marked >= low) & (marked <= high))[~plate].all()
        chest = marked.ravel()[~plate.ravel()].astype(int)
        assert (np.diff(chest) >= 0).all()

    @given(PERCENT, PERCENT, SEEDS)
    def test_a_larger_marker_covers_the_smaller(self, one, two, seed):
        sample = Sample(np.zeros((90, 70), np.uint8), np.zeros((90, 70), np.uint8))
        smaller, larger = (
            add_marker(sample, percent, draws(seed)).image
            for percent in sorted((one, two))
        )
        assert (smaller <= larger).all()
        assert smaller.min() in (SQUEEZED[0], METAL)

    def test_collimation_by_hand(self, two_boxes):
        """A quarter is 15 of 60 rows and 20 of 80 columns on each border."""
        closed = collimate(two_boxes, 25, draws())
        assert (closed.image[15:45, 20:60] == 90).all()
        assert np.count_nonzero(closed.image) == 30 * 40
        assert np.count_nonzero(closed.labels == RIGHT) == 0
        assert np.count_nonzero(closed.labels == LEFT) == 10 * 10
