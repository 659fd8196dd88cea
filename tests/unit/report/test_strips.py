"""Where the dots of the distribution go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.report.axes import Axis
from lungcli.report.strips import Scored, distribution

DICE = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60)


def scored(values, source="s"):
    return [Scored(source, f"{k}", f"{k}", dice) for k, dice in enumerate(values)]


def test_by_hand():
    chart = distribution(scored([0.95, 0.85, 0.9]), 0.9)
    (strip,) = chart.strips
    assert [dot.dice for dot in strip.dots] == [0.85, 0.9, 0.95]
    assert [dot.failed for dot in strip.dots] == [True, False, False]
    assert [dot.place for dot in strip.dots] == [5.0, 35.0, 65.0]  # from 0.85 to 1
    assert (chart.failure, strip.median) == (35.0, 35.0)
    assert [tick.label for tick in chart.ticks][-1] == "1.00"
    assert chart.below is None


def test_one_case_far_below_does_not_squash_the_others():
    chart = distribution(scored([0.1] + [0.95] * 99), 0.9)
    lowest = chart.strips[0].dots[0]
    assert chart.below == "< 0.85"
    assert lowest.place < chart.ticks[0].place
    assert "n = 100 · median 0.950" in chart.strips[0].note


def test_many_low_cases_widen_the_axis():
    chart = distribution(scored([0.4] * 10 + [0.95] * 10), 0.9)
    assert (chart.below, chart.ticks[0].label) == (None, "0.40")


def test_undefined_cases_are_counted():
    chart = distribution(scored([None, 0.9, None]), 0.9)
    assert chart.strips[0].note == "n = 3 · median 0.900 · 2 undefined"
    nothing = distribution(scored([None]), 0.9).strips[0]
    assert (nothing.dots, nothing.median) == ((), None)


def test_a_strip_for_each_source():
    cases = scored([0.9], "b") + scored([0.8, 0.7], "a")
    assert [strip.label for strip in distribution(cases, 0.9).strips] == ["a", "b"]


@given(DICE, st.sampled_from([0.5, 0.9, 0.95]))
def test_every_dot_lies_inside_its_strip(values, limit):
    chart = distribution(scored(values), limit)
    for strip in chart.strips:
        assert len(strip.dots) == sum(value is not None for value in values)
        assert strip.half <= 72
        for dot in strip.dots:
            assert 0 <= dot.place <= 100
            assert abs(dot.offset) + 8 <= strip.half + 1e-6
            assert (
                dot.place < chart.failure
            ) == dot.failed or dot.place == chart.failure


def test_equal_dots_are_stacked_apart():
    dots = distribution(scored([0.95] * 9), 0.9).strips[0].dots
    assert sorted(dot.offset for dot in dots) == [8 * k for k in range(-4, 5)]


@pytest.mark.parametrize(
    ("start", "labels"),
    [
        pytest.param(0.0, ["0.00", "0.20", "0.40", "0.60", "0.80", "1.00"], id="whole"),
        pytest.param(0.9, ["0.90", "0.92", "0.94", "0.96", "0.98", "1.00"], id="top"),
        pytest.param(
            0.97,
            ["0.970", "0.975", "0.980", "0.985", "0.990", "0.995", "1.000"],
            id="narrow",
        ),
    ],
)
def test_ticks_are_round(start, labels):
    assert [tick.label for tick in Axis(start, 1.0).ticks()] == labels
