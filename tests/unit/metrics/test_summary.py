"""Summaries worked out by hand."""

import json
import math
import random

import pytest

from lungcli.metrics.catalogue import score_names
from lungcli.metrics.scores import CaseFacts, CaseScores
from lungcli.metrics.summary import summarize, worst_first

PARTS = ("lungs", "right", "left")

NAN = math.nan


def case(name, dice=1.0, *, source="montgomery", patient=None, grid=(6, 8), **more):
    """Build scores without masks: what is not given is 1, in every structure."""
    spacing_mm = more.pop("spacing_mm", None)
    facts = CaseFacts(
        source=source,
        case_id=name,
        patient_id=patient or name,
        height=grid[0],
        width=grid[1],
        spacing_mm=spacing_mm,
        groups=more.pop("groups", {}),
    )
    missed, swapped = more.pop("missed", ()), more.pop("swapped", False)
    values = dict.fromkeys(score_names(), 1.0) | {"dice": dice} | more
    if spacing_mm is None:
        values |= dict.fromkeys(("hd_mm", "hd95_mm", "assd_mm"), NAN)
    if math.isnan(dice):
        values = dict.fromkeys(score_names(), NAN)
    return CaseScores(
        facts=facts,
        scores=dict.fromkeys(PARTS, values),
        missed=missed,
        swapped=swapped,
    )


EMPTY = case("empty", NAN)


def test_by_hand():
    dice = summarize([case("a", 0.9), case("b", 0.8), case("c", 0.5)])["dice"]
    assert dice["mean"] == pytest.approx((0.9 + 0.8 + 0.5) / 3)
    assert dice["median"] == pytest.approx(0.8)
    assert dice["p5"] == pytest.approx(0.5 + 0.1 * 0.3)
    assert dice["p95"] == pytest.approx(0.8 + 0.9 * 0.1)
    assert (dice["min"], dice["max"]) == (0.5, 0.9)
    assert (dice["worst"], dice["worst_source"]) == ("c", "montgomery")
    assert dice["sd"] == pytest.approx(0.2081666)
    low, high = dice["ci95"]
    assert 0.5 <= low < dice["mean"] < high <= 0.9


def test_the_worst_distance_is_the_largest():
    cases = [case("near", hd95_px=1.0), case("far", hd95_px=9.0)]
    hd95 = summarize(cases)["hd95"]
    assert (hd95["worst"], hd95["max"], hd95["min"]) == ("far", 9, 1)


def test_the_worst_area_difference_is_the_largest_either_way():
    cases = [
        case("more", area_difference=0.2),
        case("less", area_difference=-0.3),
        case("same", area_difference=0.0),
    ]
    assert summarize(cases)["area_difference"]["worst"] == "less"


def test_a_tie_goes_to_the_first_name():
    assert summarize([case("b", 0.5), case("a", 0.5)])["dice"]["worst"] == "a"


def test_a_missed_lung_lowers_the_mean_and_is_listed():
    cases = [case("a"), case("b", 0.0, missed=("lungs", "left"))]
    summary = summarize(cases)
    assert summary["dice"]["mean"] == 0.5
    assert summary["missed"] == ["montgomery/b: lungs", "montgomery/b: left"]


def test_undefined_is_counted_listed_and_not_averaged():
    summary = summarize([case("a"), EMPTY])
    assert (summary["dice"]["mean"], summary["dice"]["undefined"]) == (1.0, 1)
    assert summary["undefined_cases"] == [
        "montgomery/empty: lungs",
        "montgomery/empty: right",
        "montgomery/empty: left",
    ]
    assert (summary["failure_rate"], summary["failures"]) == (0, [])


def test_swapped_sides_are_listed():
    summary = summarize([case("a"), case("b", swapped=True)])
    assert summary["swapped"] == ["montgomery/b"]


def test_all_undefined_is_null_in_json():
    document = json.loads(json.dumps(summarize([EMPTY, EMPTY]), allow_nan=False))
    assert document["dice"]["mean"] is None
    assert document["dice"]["ci95"] is None
    assert document["failure_rate"] is None
    assert document["mean_over_sources"]["dice"] == {"mean": None, "ci95": None}


def test_failures_are_below_the_threshold_worst_first():
    cases = [case("a", 0.9), case("b", 0.8), case("c", 0.2), EMPTY]
    summary = summarize(cases)
    assert summary["failures"] == ["montgomery/c", "montgomery/b"]
    assert summary["failure_rate"] == pytest.approx(2 / 3)
    assert summary["failure_dice"] == 0.9
    assert summarize(cases, failure_dice=0.5)["failure_rate"] == pytest.approx(1 / 3)


def test_no_failures_among_few_patients_is_no_proof():
    cases = [case(str(number)) for number in range(10)]
    assert summarize(cases)["failure_rate_ci95"] == [0, pytest.approx(0.2775, abs=1e-4)]


def test_failures_of_one_patient_count_as_one_observation():
    apart = [case(str(number), number / 8) for number in range(8)]
    together = [
        case(str(number), number / 8, patient=str(number // 4)) for number in range(8)
    ]
    low, high = summarize(apart)["failure_rate_ci95"]
    wider = summarize(together)["failure_rate_ci95"]
    assert wider[0] < low < high < wider[1] + 1e-9


def test_a_patient_with_most_of_the_cases_makes_the_rate_uncertain():
    """Of 104 cases, 100 are of one patient: little more is known than of that one."""
    cases = [case(str(number), patient="x") for number in range(100)]
    cases += [case(name) for name in "abcd"]
    rare = summarize(cases)["failure_rate_ci95"]
    assert rare == [0, pytest.approx(1.96**2 / (1.96**2 + 104**2 / 10004), abs=1e-4)]


def test_the_intervals_of_one_source_are_those_of_all():
    summary = summarize([case(str(number), number / 30) for number in range(30)])
    alone = summary["sources"]["montgomery"]["dice"]["ci95"]
    assert summary["dice"]["ci95"] == alone
    assert summary["mean_over_sources"]["dice"]["ci95"] == alone


def test_one_patient_has_no_interval():
    summary = summarize([case("a", patient="x"), case("b", 0.5, patient="x")])
    assert (summary["cases"], summary["patients"]) == (2, 1)
    assert summary["dice"]["ci95"] is None
    assert summary["dice"]["sd"] is not None
    assert summary["mean_over_sources"]["dice"]["ci95"] is None


def test_patients_of_two_sources_are_not_the_same():
    cases = [case("a", patient="1"), case("b", patient="1", source="jsrt")]
    assert summarize(cases)["patients"] == 2


def test_sources_apart():
    cases = [case("a"), case("b", 0.5, source="jsrt"), case("c", 0.9, source="jsrt")]
    summary = summarize(cases)
    assert summary["cases"] == 3
    assert list(summary["sources"]) == ["jsrt", "montgomery"]
    assert summary["sources"]["jsrt"]["cases"] == 2
    assert summary["sources"]["jsrt"]["dice"]["mean"] == pytest.approx(0.7)
    assert summary["sources"]["jsrt"]["failures"] == ["jsrt/b"]
    assert summary["right"]["dice"]["mean"] == pytest.approx(0.8)


def test_mean_over_sources_weighs_each_source_the_same():
    cases = [case(str(number), 0.5 + number / 100) for number in range(30)]
    cases += [case(name, value, source="jsrt") for name, value in (("a", 1), ("b", 0))]
    over_sources = summarize(cases)["mean_over_sources"]["dice"]
    assert over_sources["mean"] == pytest.approx((0.645 + 0.5) / 2)
    low, high = over_sources["ci95"]
    assert low == pytest.approx((0.645 + 0) / 2, abs=0.02)  # one in four draws no b
    assert high == pytest.approx((0.645 + 1) / 2, abs=0.02)


def test_failures_and_each_lung_are_averaged_over_sources():
    cases = [case("a"), case("b", 0.5), case("c", source="jsrt")]
    over_sources = summarize([*cases, case("d", NAN, source="x")])["mean_over_sources"]
    assert over_sources["failure_rate"] == 0.25
    assert over_sources["left"]["dice"]["mean"] == pytest.approx((0.75 + 1) / 2)
    assert over_sources["right"]["hd95"]["unit"] == "px"
    assert summarize([EMPTY])["mean_over_sources"]["failure_rate"] is None


def test_a_source_without_a_score_does_not_enter_its_mean_over_sources():
    cases = [case("a", 0.6), EMPTY, case("b", NAN, source="jsrt")]
    assert summarize(cases)["mean_over_sources"]["dice"]["mean"] == 0.6


@pytest.mark.parametrize(
    ("cases", "unit"),
    [
        ([case("a", spacing_mm=(0.1, 0.1)), case("b", spacing_mm=(1, 2))], "mm"),
        ([case("a"), case("b")], "px"),
        ([case("a"), case("b", grid=(9, 9))], "%"),
        ([case("a"), case("b", spacing_mm=(1, 2))], "%"),
    ],
)
def test_units_are_never_mixed(cases, unit):
    summary = summarize(cases)
    for name in ("hd", "hd95", "assd"):
        assert summary[name]["unit"] == summary["left"][name]["unit"] == unit
        assert summary["mean_over_sources"][name]["unit"] == unit
        assert summary[name]["mean"] == summary[f"{name}_percent"]["mean"] == 1


def test_each_source_has_its_own_unit():
    cases = [case("a", spacing_mm=(1, 1)), case("b", source="jsrt")]
    summary = summarize(cases)
    assert summary["hd95"]["unit"] == "%"
    assert summary["sources"]["montgomery"]["hd95"]["unit"] == "mm"
    assert summary["sources"]["jsrt"]["hd95"]["unit"] == "px"


def test_subgroups():
    cases = [
        case("a", 0.8, groups={"sex": "F", "age": "70"}),
        case("b", 0.9, groups={"sex": "F", "age": "20"}),
        case("c", 1.0, groups={"sex": "", "age": "30"}),
    ]
    groups = summarize(cases)["subgroups"]
    assert list(groups) == ["sex", "age"]
    assert list(groups["sex"]) == ["F", "unknown"]
    assert list(groups["age"]) == ["18-39", "60+"]
    women = groups["sex"]["F"]
    assert (women["cases"], women["patients"]) == (2, 2)
    assert women["dice"]["mean"] == pytest.approx(0.85)
    assert women["failure_rate"] == 0.5
    assert women["hd95_percent"]["mean"] == 1


def test_every_block_has_the_same_shape():
    summary = summarize([case("a"), case("b", 0.5), case("c", source="jsrt")])
    source = summary["sources"]["jsrt"]
    assert set(summary) - set(source) == {"sources", "mean_over_sources", "subgroups"}
    scores = {name for name, block in summary["left"].items() if "mean" in block}
    assert set(summary["right"]) == set(summary["left"]) == scores
    over_sources = summary["mean_over_sources"]
    assert scores | {"failure_rate", "right", "left"} == set(over_sources)
    assert scores == set(over_sources["right"]) == set(over_sources["left"])
    shapes = {frozenset(summary[name]) - {"unit"} for name in scores}
    assert len(shapes) == 1


def test_the_order_of_cases_does_not_matter():
    cases = [case(str(number), random.Random(number).random()) for number in range(40)]  # noqa: S311
    shuffled = sorted(cases, key=lambda one: one.dice)
    there, back = summarize(cases), summarize(shuffled)
    assert there["dice"]["worst"] == back["dice"]["worst"]
    assert there["failures"] == back["failures"]
    assert there["dice"]["mean"] == pytest.approx(back["dice"]["mean"])
    assert there["dice"]["ci95"] == pytest.approx(back["dice"]["ci95"])


def test_the_same_seed_gives_the_same_document():
    cases = [case(str(number), number / 40) for number in range(40)]
    assert summarize(cases, seed=3) == summarize(cases, seed=3)
    assert summarize(cases, seed=3)["dice"]["ci95"] != summarize(cases)["dice"]["ci95"]


def test_worst_first_puts_undefined_last():
    ordered = worst_first([EMPTY, case("good"), case("bad", 0.1)])
    assert [scored.case_id for scored in ordered] == ["bad", "good", "empty"]
    assert math.isnan(ordered[-1].dice)
