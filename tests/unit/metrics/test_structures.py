"""Scores with a heart, and where the reference says nothing, worked out by hand."""

import json
import math

import numpy as np
import pytest

from lungcli.anatomy import HEART, IGNORE, LUNGS
from lungcli.metrics.comparison import compare
from lungcli.metrics.measures import measure, measure_columns
from lungcli.metrics.overlap import dice, overlap_by_lung
from lungcli.metrics.scores import CaseFacts, parts_of, score_case
from lungcli.metrics.summary import summarize
from lungcli.report.overview import alarms, tables
from lungcli.report.rows import columns_of

ALL = (*LUNGS, HEART)
REFERENCE = np.array(
    [
        [1, 1, 0, 0, 2, 2],
        [1, 1, 3, 3, 2, 2],
        [1, 1, 3, 3, 2, 2],
    ],
    np.uint8,
)


def score(reference, predicted, structures=ALL, name="a"):
    facts = CaseFacts(
        source="s",
        case_id=name,
        patient_id=name,
        height=reference.shape[0],
        width=reference.shape[1],
        spacing_mm=None,
        groups={},
    )
    return score_case(facts, reference, predicted, structures=structures)


def drawn_over(labels, column, label):
    changed = labels.copy()
    changed[:, column] = label
    return changed


def test_a_heart_over_a_lung_costs_both():
    """The heart takes the left lung's inner column: 3 of its 6 pixels."""
    scores = score(REFERENCE, drawn_over(REFERENCE, 4, 3)).scores
    assert scores["right"]["dice"] == 1
    assert scores["left"]["dice"] == pytest.approx(2 * 3 / (6 + 3))
    assert scores["lungs"]["dice"] == pytest.approx(2 * 9 / (12 + 9))
    assert scores["heart"]["dice"] == pytest.approx(2 * 4 / (4 + 7))


def test_a_heart_that_is_not_scored_is_background():
    """Neither the reference's nor the prediction's heart is lung."""
    found = score(REFERENCE, drawn_over(REFERENCE, 2, 0), LUNGS)
    assert list(found.scores) == ["lungs", "right", "left"]
    assert {each["dice"] for each in found.scores.values()} == {1.0}
    assert found.missed == ()


def test_a_heart_that_was_missed():
    found = score(REFERENCE, np.where(REFERENCE == 3, 0, REFERENCE).astype(np.uint8))
    assert found.missed == ("heart",)
    assert found.scores["heart"]["dice"] == 0
    assert found.scores["heart"]["hd95_px"] == pytest.approx(math.hypot(3, 6))


def test_where_nobody_says_nothing_counts():
    """The ignored column holds an error, which costs nothing; without it, it would."""
    wrong = drawn_over(REFERENCE, 0, 0)
    assert score(REFERENCE, wrong).scores["right"]["dice"] == pytest.approx(2 / 3)
    found = score(drawn_over(REFERENCE, 0, IGNORE), wrong)
    assert found.scores["right"]["dice"] == 1
    assert found.scores["lungs"]["dice"] == 1
    assert found.ignored == 3


def test_a_summary_counts_hearts_only_where_they_are_known():
    cases = [
        score(REFERENCE, drawn_over(REFERENCE, 4, 3), name="a"),
        score(REFERENCE, REFERENCE, LUNGS, name="b"),
        score(drawn_over(REFERENCE, 0, IGNORE), REFERENCE, name="c"),
    ]
    assert parts_of(cases) == ("lungs", "right", "left", "heart")
    summary = summarize(cases)
    json.dumps(summary, allow_nan=False)
    heart = summary["heart"]["dice"]
    assert heart["mean"] == pytest.approx((8 / 11 + 1) / 2)
    assert heart["undefined"] == 0
    assert summary["undefined_cases"] == []
    assert summary["ignored"] == {"s/c": 3}
    assert summary["sources"]["s"]["heart"]["dice"]["mean"] == heart["mean"]
    assert "heart" in summary["mean_over_sources"]
    of_lungs = summarize([case for case in cases if case.case_id == "b"])
    assert "heart" not in of_lungs
    assert "ignored" not in of_lungs


def test_tables_have_the_heart_where_it_is():
    case = score(REFERENCE, REFERENCE)
    summary = summarize([case])
    by_source, by_structure, *_ = tables(summary)
    assert "Heart Dice" in by_source.head
    assert [name for name, _ in by_structure.rows][-1] == "Heart"
    assert "Heart" in [column.label for column in columns_of(summary)]
    without = summarize([score(REFERENCE, REFERENCE, LUNGS)])
    assert "Heart Dice" not in tables(without)[0].head
    assert "Heart" not in [column.label for column in columns_of(without)]


def test_two_networks_are_compared_on_the_heart_that_both_draw():
    ours = [score(REFERENCE, REFERENCE, name=name) for name in "abc"]
    theirs = [score(REFERENCE, drawn_over(REFERENCE, 4, 3), name=n) for n in "abc"]
    found = {d.structure: d.mean for d in compare(ours, theirs) if d.score == "dice"}
    assert found["heart"] == pytest.approx(8 / 11 - 1)
    of_lungs = [score(REFERENCE, REFERENCE, LUNGS, name=name) for name in "abc"]
    assert "heart" not in {d.structure for d in compare(of_lungs, theirs)}


def test_measures_of_a_heart_come_after_those_of_the_lungs():
    plain = measure(REFERENCE, (0.5, 2.0)).to_dict()
    row = measure(REFERENCE, (0.5, 2.0), structures=ALL).to_dict()
    assert list(row)[: len(plain)] == list(plain)
    assert {name: row[name] for name in plain} == plain
    assert {name: row[name] for name in row if name not in plain} == {
        "heart.area_px": 4,
        "heart.area_mm2": 4.0,
        "heart.x_px": 2,
        "heart.y_px": 1,
        "heart.width_px": 2,
        "heart.height_px": 2,
        "heart.width_mm": 4.0,
        "heart.height_mm": 1.0,
    }
    assert tuple(row) == measure_columns(ALL)
    assert plain["lungs.area_px"] == 12


def test_a_heart_wider_than_the_lungs_makes_no_thorax():
    """The thorax is measured between the lungs' outer borders."""
    labels = np.array([[3, 1, 0, 2, 3]], np.uint8)
    assert measure(labels, structures=ALL).to_dict()["thorax.width_px"] == 3


def test_pictures_and_stress_count_as_scores_do():
    """What `overlap_by_lung` counts, where nobody says and where a heart is drawn."""
    reference = drawn_over(REFERENCE, 0, IGNORE)
    predicted = np.where(REFERENCE == 3, 0, REFERENCE).astype(np.uint8)
    counts = overlap_by_lung(reference, predicted)
    assert {part: dice(each) for part, each in counts.items()} == {
        "lungs": 1,
        "right": 1,
        "left": 1,
    }


def test_alarms_call_a_heart_no_lung():
    no_heart = np.where(REFERENCE == 3, 0, REFERENCE).astype(np.uint8)
    (missed,) = alarms(summarize([score(REFERENCE, no_heart)]))
    assert (missed.title, "this structure" in missed.meaning) == (
        "Structure missed",
        True,
    )
    no_left = np.where(REFERENCE == 2, 0, REFERENCE).astype(np.uint8)
    (missed,) = alarms(summarize([score(REFERENCE, no_left)]))
    assert (missed.title, "this lung" in missed.meaning) == ("Lung missed", True)
    (undefined,) = alarms(summarize([score(no_heart, no_heart)]))
    assert undefined.meaning.startswith("Neither mask has this structure")
