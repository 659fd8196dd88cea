"""Frames of one size, true colours and sides, and a place for what is missing."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.anatomy import HEART, LEFT_LUNG, RIGHT_LUNG
from lungcli.arrays import LEFT, RIGHT
from lungcli.pictures.colours import (
    AGREED,
    BACKGROUND,
    EXTRA,
    MISSED,
)
from lungcli.pictures.panels import PanelCase, draw_frame
from lungcli.pictures.views import PANELS, PanelScores, compose_view

GRAY = 100
DIMMED = 60
SIDE = 128
BAR, GAP = 16, 2  # at this side
SCORES = PanelScores(
    dice=0.9, iou=0.8, dice_of={"right": 1.0, "left": 0.75}, missed=0.125, extra=0.125
)


def make_case(shape=(64, 64), **changes):
    """Return a case: right lung as wanted, left lung four columns off."""
    height, width = shape
    rows = slice(height // 4, 3 * height // 4)
    reference, predicted = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for labels in (reference, predicted):
        labels[rows, width // 8 : 3 * width // 8] = RIGHT
    reference[rows, 5 * width // 8 : 7 * width // 8] = LEFT
    predicted[rows, 5 * width // 8 + 4 : 7 * width // 8 + 4] = LEFT
    case = PanelCase(
        title="case",
        image=np.full(shape, GRAY, np.uint8),
        predicted=predicted,
        reference=reference,
        scores=SCORES,
    )
    return dataclasses.replace(case, **changes)


def panel(frame, index, side=SIDE):
    """Return the square of one panel."""
    left = index * (side + GAP)
    return frame[2 * BAR : 2 * BAR + side, left : left + side]


def blend(colour, opacity):
    return [round(DIMMED + opacity * (channel - DIMMED)) for channel in colour]


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300), given_=st.booleans())
def test_frame_size_depends_on_side_alone(height, width, given_):
    labels = np.ones((height, width), np.uint8) if given_ else None
    case = PanelCase(
        title="x" * height,
        image=np.zeros((height, width), np.uint8),
        predicted=labels,
        reference=labels,
    )
    expected = (SIDE + 3 * BAR, 3 * SIDE + 2 * GAP, 3)
    assert draw_frame(case, side=SIDE).shape == expected


@pytest.mark.parametrize("side", [1, 16, 64, 224, 512])
def test_any_side_can_be_drawn(side):
    frame = draw_frame(make_case(), side=side, panels=("gold",))
    assert frame.shape[1] == side


def test_colours_of_the_difference():
    square = panel(draw_frame(make_case(), side=SIDE), 2)
    # picture pixels are twice the case's; the left lung begins at column 40 in the
    # reference and at 44 in the prediction
    assert square[64, 32].tolist() == blend(AGREED, 0.45)
    assert square[64, 2 * 42].tolist() == blend(MISSED, 0.8)
    assert square[64, 2 * 50].tolist() == blend(AGREED, 0.45)
    assert square[64, 2 * 58].tolist() == blend(EXTRA, 0.8)
    assert square[64, 64].tolist() == [DIMMED] * 3


@pytest.mark.parametrize("index", [0, 1])
def test_lungs_are_tinted_and_outlined_by_side(index):
    square = panel(draw_frame(make_case(), side=SIDE), index)
    assert square[64, 32].tolist() == blend(RIGHT_LUNG.colour, 0.45)
    assert square[64, 100].tolist() == blend(LEFT_LUNG.colour, 0.45)
    assert square[64, 16].tolist() == list(RIGHT_LUNG.colour)
    left_edge = 88 if index == 0 else 80
    assert square[64, left_edge].tolist() == list(LEFT_LUNG.colour)


def test_wrong_side_is_agreed_lung():
    image = np.full((1, 1), GRAY, np.uint8)
    one, two = np.full_like(image, RIGHT), np.full_like(image, LEFT)
    view = compose_view("difference", image, one, two)
    assert view.picture[0, 0].tolist() == blend(AGREED, 0.45)


def bright(square):
    """Return where the letters are; the picture itself is dimmed and coloured."""
    return (square > 190).all(axis=2)


def test_sides_are_marked_at_the_lower_edges_of_the_picture():
    case = make_case(shape=(64, 32))  # letter-boxed: the middle 64 of 128 columns
    frame = draw_frame(case, side=SIDE)
    for index in range(3):
        rows, columns = np.nonzero(bright(panel(frame, index)))
        assert rows.min() >= SIDE - 16
        assert columns.min() >= 32
        assert columns.max() < 96
        assert not ((columns > 44) & (columns < 84)).any()


def test_the_letter_at_the_left_is_r():
    frame = draw_frame(make_case(), side=512, panels=("predicted",))  # large letters
    top = (frame.shape[0] - 512) * 2 // 3  # two of the three bars
    square = bright(frame[top : top + 512])
    at_left, at_right = square[-40:, :40], square[-40:, -40:]
    for letter, has_bow in ((at_left, True), (at_right, False)):
        rows, columns = np.nonzero(letter)
        upper = rows < (rows.min() + rows.max() + 1) / 2
        right = columns > (columns.min() + columns.max()) / 2
        assert (upper & right).any() == has_bow  # an R has one on top, an L none


def test_without_reference_the_xray_and_an_empty_place():
    frame = draw_frame(make_case(reference=None, scores=PanelScores()), side=SIDE)
    assert frame.shape == draw_frame(make_case(), side=SIDE).shape
    assert (panel(frame, 1)[64, 10:118] == GRAY).all()  # not dimmed, no mask
    empty = panel(frame, 2)
    assert (empty[:40] == 0).all()
    assert (empty[60:70] > 0).any()  # says why


@pytest.mark.parametrize(
    ("missing", "name", "title", "note"),
    [
        pytest.param("reference", "gold", "X-ray", "no gold standard", id="gold"),
        pytest.param("predicted", "predicted", "X-ray", "no prediction", id="pred"),
        pytest.param(
            "reference", "difference", "Difference", "no gold standard", id="diff-gold"
        ),
        pytest.param(
            "predicted", "difference", "Difference", "no prediction", id="diff-pred"
        ),
    ],
)
def test_what_is_missing_is_said(missing, name, title, note):
    case = make_case(**{missing: None})
    view = compose_view(name, case.image, case.predicted, case.reference)
    assert (view.title, view.note) == (title, note)


@pytest.mark.parametrize("nothing", [math.nan, math.inf])
def test_undefined_scores_are_not_drawn(nothing):
    unscored = PanelScores(dice=nothing, iou=nothing)
    frame = draw_frame(make_case(title="", scores=unscored), side=SIDE)
    assert (frame[:BAR] == BACKGROUND).all()
    half = PanelScores(dice=0.9, iou=nothing)
    scored = draw_frame(make_case(title="", scores=half), side=SIDE)
    assert (scored[:BAR] != BACKGROUND).any()


def test_legends_say_the_dice_of_each_lung_and_the_shares():
    case = make_case()
    values = {
        key.name: key.value
        for name in PANELS
        for key in compose_view(
            name, case.image, case.predicted, case.reference, scores=SCORES
        ).legend
        if key.value
    }
    assert values == {
        "right lung": "Dice 1.000",
        "left lung": "Dice 0.750",
        "missed": "12.5 %",
        "extra": "12.5 %",
    }


def test_the_number_of_the_frame_moves_nothing_else():
    """From 1/14 to 14/14 only the number changes: no name may jump."""
    first, last = (
        draw_frame(make_case(title="I"), side=256, place=(number, 14))
        for number in (1, 14)
    )
    changed = np.flatnonzero((first != last).any(axis=(0, 2)))
    alone = draw_frame(make_case(title=""), side=256, place=(14, 14))
    number = np.flatnonzero(
        (alone != draw_frame(make_case(title=""), side=256)).any((0, 2))
    )
    assert changed.size
    assert changed.max() <= number.max()


def test_the_data_set_gives_way_to_the_name():
    bare = draw_frame(make_case(title="case"), side=SIDE)
    noted = draw_frame(make_case(title="case", note="shenzhen"), side=SIDE)
    assert (bare != noted).any()
    crowded = "a case with a name that leaves no room for anything else"
    np.testing.assert_array_equal(
        draw_frame(make_case(title=crowded), side=SIDE),
        draw_frame(make_case(title=crowded, note="shenzhen"), side=SIDE),
    )


def test_long_name_leaves_the_score_alone():
    short = draw_frame(make_case(title=""), side=SIDE)
    long = draw_frame(make_case(title="é肺" * 500), side=SIDE)
    changed = np.flatnonzero((short != long).any(axis=(0, 2)))
    score = np.flatnonzero((short[:BAR] != BACKGROUND).any(axis=(0, 2)))
    assert changed.size
    assert changed.max() < score.min()


def test_panels_in_the_order_asked_for():
    whole = draw_frame(make_case(), side=SIDE)
    swapped = draw_frame(make_case(), side=SIDE, panels=("difference", "predicted"))
    np.testing.assert_array_equal(panel(swapped, 0), panel(whole, 2))
    np.testing.assert_array_equal(panel(swapped, 1), panel(whole, 0))


@pytest.mark.parametrize("panels", [(), ("predicted", "truth")])
def test_unknown_panels_are_named(panels):
    with pytest.raises(ValueError, match=", ".join(PANELS)):
        draw_frame(make_case(), panels=panels)


def test_label_map_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="must have one shape"):
        draw_frame(make_case(predicted=np.zeros((3, 3), np.uint8)))


class TestHeart:
    @pytest.fixture
    def case(self):
        plain = make_case()
        predicted = plain.predicted.copy()
        predicted[20:44, 26:38] = HEART.label
        scores = dataclasses.replace(SCORES, dice_of={**SCORES.dice_of, "heart": 0.5})
        return dataclasses.replace(plain, predicted=predicted, scores=scores)

    def test_it_is_tinted_and_outlined(self, case):
        square = panel(draw_frame(case, side=SIDE), 0)
        assert square[64, 64].tolist() == blend(HEART.colour, 0.45)
        assert square[64, 52].tolist() == list(HEART.colour)

    def test_the_legend_tells_of_it_where_it_is(self, case):
        def legend(name):
            arrays = case.image, case.predicted, case.reference
            return compose_view(name, *arrays, scores=case.scores).legend

        assert legend("predicted")[2] == (HEART.colour, "heart", "Dice 0.500")
        assert [key.name for key in legend("gold")] == ["right lung", "left lung"]

    def test_the_difference_compares_lungs(self, case):
        arrays = case.image, case.predicted, case.reference
        lungs = np.where(case.predicted == HEART.label, 0, case.predicted)
        np.testing.assert_array_equal(
            compose_view("difference", *arrays).picture,
            compose_view(
                "difference", case.image, lungs.astype(np.uint8), case.reference
            ).picture,
        )


def test_lung_where_nobody_knows_is_not_coloured():
    image = np.full((1, 2), GRAY, np.uint8)
    predicted, reference = np.array([[1, 1]], np.uint8), np.array([[255, 0]], np.uint8)
    view = compose_view("difference", image, predicted, reference)
    assert view.picture[0].tolist() == [[DIMMED] * 3, blend(EXTRA, 0.8)]
