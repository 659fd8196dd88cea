"""Every score of one case: by hand, empty masks, units, tolerances, swapped sides."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.errors import ConfigError
from lungcli.metrics.catalogue import score_names
from lungcli.metrics.overlap import dice, overlap
from lungcli.metrics.scores import (
    CaseFacts,
    CaseScores,
    Tolerance,
    common_unit,
    score_case,
)

LABELS = arrays(np.uint8, (6, 8), elements={"max_value": 2})


def drawn(*rows):
    return np.array([[".RL".index(letter) for letter in row] for row in rows], np.uint8)


def facts(shape, spacing_mm=None, case_id="a"):
    return CaseFacts(
        source="jsrt",
        case_id=case_id,
        patient_id=case_id,
        height=shape[0],
        width=shape[1],
        spacing_mm=spacing_mm,
        groups={},
    )


def score(reference, predicted, spacing_mm=None, tolerance="0.5%"):
    case = facts(reference.shape, spacing_mm)
    return score_case(case, reference, predicted, Tolerance.parse(tolerance))


# 6 × 8 pixels: the diagonal is 10
LUNGS = drawn("........", ".RR..LL.", ".RR..LL.", ".RR..LL.", ".RR.....", "........")
LOWER = drawn("........", ".RR..LL.", ".RR..LL.", ".RR..LL.", "........", "........")
RIGHT_ONLY = drawn(
    "........", ".RR.....", ".RR.....", ".RR.....", ".RR.....", "........"
)

PARTS = ("lungs", "right", "left")
NOTHING = np.zeros_like(LUNGS)


def test_by_hand():
    """Two of fourteen pixels are missed; all others of the contour agree."""
    found = score(LUNGS, LOWER, tolerance="0px")
    lungs = found.scores["lungs"]
    assert lungs["dice"] == pytest.approx(24 / 26)
    assert lungs["iou"] == pytest.approx(12 / 14)
    assert lungs["sensitivity"] == pytest.approx(12 / 14)
    assert lungs["precision"] == 1
    assert lungs["area_difference"] == pytest.approx(-2 / 14)
    assert lungs["nsd"] == pytest.approx(24 / 26)
    assert (lungs["hd_px"], lungs["hd_percent"]) == (1, 10)
    assert lungs["hd95_px"] == 1  # ranks 12.35 of 0..13, where two are 1
    assert lungs["assd_px"] == pytest.approx(2 / 26)
    assert lungs["assd_percent"] == pytest.approx(20 / 26)
    assert found.scores["left"]["dice"] == 1
    assert (found.missed, found.swapped) == ((), False)
    assert (found.source, found.case_id, found.dice) == ("jsrt", "a", lungs["dice"])


def test_every_structure_has_every_score_in_order():
    for spacing_mm in (None, (0.2, 0.2), (0.2, 0.3)):
        found = score(LUNGS, LOWER, spacing_mm)
        assert tuple(found.scores) == tuple(PARTS)
        for values in found.scores.values():
            assert tuple(values) == score_names()


def test_millimetres_need_a_pixel_size():
    lungs = score(LUNGS, LOWER).scores["lungs"]
    unknown = {name for name, value in lungs.items() if math.isnan(value)}
    assert unknown == {"hd_mm", "hd95_mm", "assd_mm"}


def test_millimetres_of_pixels_that_are_not_square():
    left = drawn("L.......", *["........"] * 5)
    away = drawn(*["........"] * 3, "....L...", "........", "........")
    values = score(left, away, (4.0, 1.25)).scores["left"]
    assert values["hd_mm"] == 13
    assert values["hd_px"] == 5
    assert values["hd_percent"] == pytest.approx(100 * 13 / math.hypot(24, 10))


@given(reference=LABELS, predicted=LABELS, mm=st.floats(0.05, 5))
def test_square_pixels_are_only_scaled(reference, predicted, mm):
    for values in score(reference, predicted, (mm, mm)).scores.values():
        for name in ("hd", "hd95", "assd"):
            scaled = values[f"{name}_px"] * mm
            assert values[f"{name}_mm"] == pytest.approx(scaled, nan_ok=True)


@given(reference=LABELS, predicted=LABELS, factor=st.floats(0.1, 10))
def test_percent_has_no_unit(reference, predicted, factor):
    one = score(reference, predicted, (0.2, 0.3))
    other = score(reference, predicted, (0.2 * factor, 0.3 * factor))
    for part in PARTS:
        for name in ("hd_percent", "hd95_percent", "assd_percent", "nsd"):
            expected = pytest.approx(one.scores[part][name], nan_ok=True)
            assert other.scores[part][name] == expected


@given(reference=LABELS, predicted=LABELS)
def test_cropping_changes_no_overlap(reference, predicted):
    found = score(reference, predicted).scores
    for part, label in (("right", 1), ("left", 2)):
        counts = overlap(reference == label, predicted == label)
        assert found[part]["dice"] == pytest.approx(dice(counts), nan_ok=True)


def test_a_missed_lung_is_an_image_diagonal_away():
    found = score(LUNGS, RIGHT_ONLY, (0.5, 0.5))
    left = found.scores["left"]
    assert found.missed == ("left",)
    assert (left["dice"], left["nsd"], left["area_difference"]) == (0, 0, -1)
    for name in ("hd", "hd95", "assd"):
        assert left[f"{name}_px"] == 10
        assert left[f"{name}_mm"] == 5
        assert left[f"{name}_percent"] == 100


def test_a_lung_that_is_not_there_is_one_too():
    found = score(RIGHT_ONLY, LUNGS)
    left = found.scores["left"]
    assert found.missed == ("left",)
    assert (left["dice"], left["hd95_percent"]) == (0, 100)
    assert math.isnan(left["area_difference"])
    assert math.isnan(left["sensitivity"])


def test_nothing_at_all_is_missed_in_every_structure():
    assert score(LUNGS, NOTHING).missed == tuple(PARTS)


def test_both_empty_is_undefined():
    found = score(NOTHING, NOTHING, (0.5, 0.5))
    assert found.missed == ()
    for values in found.scores.values():
        assert all(math.isnan(value) for value in values.values())


def test_one_lung_in_both_is_no_error():
    found = score(RIGHT_ONLY, RIGHT_ONLY)
    assert (found.dice, found.missed, found.swapped) == (1, (), False)
    assert math.isnan(found.scores["left"]["dice"])


def test_swapped_sides():
    exchanged = np.array([0, 2, 1], np.uint8)[LUNGS]
    found = score(LUNGS, exchanged)
    assert found.swapped
    assert found.dice == 1
    assert found.scores["right"]["dice"] == 0


@pytest.mark.parametrize("predicted", [LUNGS, LOWER, RIGHT_ONLY, NOTHING])
def test_not_swapped(predicted):
    assert not score(LUNGS, predicted).swapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2mm", Tolerance(2, "mm")),
        (" 3 px ", Tolerance(3, "px")),
        ("0.5%", Tolerance()),
        (".5 %", Tolerance()),
        ("0px", Tolerance(0, "px")),
    ],
)
def test_tolerance_is_read(text, expected):
    assert Tolerance.parse(text) == expected
    assert Tolerance.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "2", "mm", "-1mm", "2cm", "1e3px", "nan%", "2mm3"]
)
def test_what_is_no_tolerance(text):
    with pytest.raises(ConfigError, match="is not a number with unit"):
        Tolerance.parse(text)


def test_tolerance_of_a_case():
    square, known = facts((6, 8)), facts((6, 8), (0.5, 0.5))
    assert Tolerance().for_case(square) == (0.05, "px")
    assert Tolerance().for_case(known) == (0.025, "mm")
    assert Tolerance(2, "px").for_case(known) == (2, "px")
    assert Tolerance(2, "mm").for_case(known) == (2, "mm")
    with pytest.raises(ConfigError, match=r"2 mm: the pixel size of jsrt/a is unknown"):
        Tolerance(2, "mm").for_case(square)


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    [
        ("0.9px", 24 / 26),
        ("1px", 1),
        ("0.2mm", 24 / 26),
        ("0.5mm", 1),
        ("10%", 24 / 26),
        ("20%", 1),
    ],
)
def test_tolerance_in_each_unit(tolerance, expected):
    found = score(LUNGS, LOWER, (0.5, 0.25), tolerance)
    assert found.scores["lungs"]["nsd"] == pytest.approx(expected)


def test_half_a_percent_of_a_film_is_three_millimetres():
    film = facts((4300, 3500), (0.1, 0.1))
    assert Tolerance().for_case(film)[0] == pytest.approx(2.77, abs=0.005)


def test_diagonals_and_name():
    assert (facts((6, 8)).diagonal_px, facts((6, 8), (2, 2)).diagonal_mm) == (10, 20)
    assert math.isnan(facts((6, 8)).diagonal_mm)
    assert facts((6, 8)).name == "jsrt/a"


def test_masks_of_another_grid_are_refused():
    with pytest.raises(ValueError, match="jsrt/a: 6 × 8 pixels, but reference"):
        score_case(facts((6, 8)), NOTHING, NOTHING[:, :-1])


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([((6, 8), (0.1, 0.1)), ((9, 9), (0.2, 0.3))], "mm"),
        ([((6, 8), None), ((6, 8), None)], "px"),
        ([((6, 8), None), ((8, 6), None)], "percent"),
        ([((6, 8), None), ((6, 8), (0.1, 0.1))], "percent"),
    ],
)
def test_unit_that_cases_have_in_common(cases, expected):
    scored = [CaseScores(facts=facts(*each), scores={}) for each in cases]
    assert common_unit(scored) == expected
