"""Summaries worked out by hand."""

import json
import math

import pytest

from lungcli.metrics.overlap import Overlap
from lungcli.metrics.summary import score_case, summarize, worst_first


def case(name, both, missed=0, extra=0, source="montgomery"):
    counts = Overlap(both, missed, extra)
    return score_case(source, name, {"lungs": counts, "right": counts, "left": counts})


EMPTY = case("empty", 0)


def test_by_hand():
    cases = [case("a", 9, 1, 1), case("b", 8, 2, 2), case("c", 5, 5, 5)]
    dice = summarize(cases)["dice"]
    assert dice["mean"] == pytest.approx((0.9 + 0.8 + 0.5) / 3)
    assert dice["median"] == pytest.approx(0.8)
    assert dice["p5"] == pytest.approx(0.5 + 0.1 * 0.3)
    assert (dice["min"], dice["worst"]) == (pytest.approx(0.5), "c")
    assert dice["sd"] == pytest.approx(0.2081666)


def test_a_missed_lung_lowers_the_mean():
    perfect, missed = case("a", 10), case("b", 0, missed=10)
    assert summarize([perfect, missed])["dice"]["mean"] == 0.5


def test_undefined_is_counted_and_not_averaged():
    dice = summarize([case("a", 10), EMPTY])["dice"]
    assert (dice["mean"], dice["undefined"]) == (1.0, 1)


def test_all_undefined_is_null_in_json():
    document = json.dumps(summarize([EMPTY]), allow_nan=False)
    assert json.loads(document)["dice"]["mean"] is None


def test_sources_apart():
    cases = [case("a", 10), case("b", 5, 5, 5, source="jsrt")]
    summary = summarize(cases)
    assert summary["cases"] == 2
    assert list(summary["sources"]) == ["jsrt", "montgomery"]
    assert summary["sources"]["jsrt"]["cases"] == 1
    assert summary["sources"]["jsrt"]["dice"]["mean"] == pytest.approx(0.5)
    assert summary["right"]["dice"]["mean"] == pytest.approx(0.75)


def test_worst_first_puts_undefined_last():
    cases = [EMPTY, case("good", 10), case("bad", 1, 9, 9)]
    ordered = worst_first(cases)
    assert [scored.case_id for scored in ordered] == ["bad", "good", "empty"]
    assert math.isnan(ordered[-1].dice)
