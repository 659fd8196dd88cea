"""Dice by source: each case is there, and bad ones cannot hide."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.pictures.figures.distribution import _lowest_shown, draw_distribution
from lungcli.pictures.figures.theme import BLUE, VERMILION, hex_colour, to_rgb

GOOD = [0.95 + 0.0001 * number for number in range(400)]
SCORES = st.lists(st.floats(0, 1) | st.just(math.nan), max_size=40)


def dots(figure):
    """Return place and colour of each dot, from left to right."""
    (axes,) = figure.axes
    found = []
    for collection in axes.collections:
        for (x, _), colour in zip(
            collection.get_offsets().tolist(), collection.get_facecolors(), strict=True
        ):
            rgb = np.rint(255 * colour[:3]).astype(int).tolist()
            found.append((round(x, 6), hex_colour(rgb)))
    return sorted(found)


def names(figure):
    return [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


def test_every_case_is_a_dot_and_failures_are_red():
    figure = draw_distribution({"a": [0.97, 0.85], "b": [0.9, math.nan]}, failure=0.9)
    assert dots(figure) == [(0.85, VERMILION), (0.9, BLUE), (0.97, BLUE)]
    assert names(figure) == ["a\n2 cases", "b\n2 cases\n1 undefined"]


def test_far_cases_lie_at_the_edge_and_are_counted():
    figure = draw_distribution({"a": [*GOOD, 0.12, 0.4]}, failure=0.9)
    low = figure.axes[0].get_xlim()[0]
    assert low == pytest.approx(0.85)
    assert dots(figure)[:2] == [(0.85, VERMILION)] * 2
    assert len(dots(figure)) == 402
    assert names(figure) == ["a\n402 cases\n2 below 0.85, worst 0.12"]


def test_box_and_whiskers_are_percentiles():
    values = np.linspace(0.8, 1.0, 101)  # the n-th percentile is 0.8 + 0.002 n
    (axes,) = draw_distribution({"a": values.tolist()}, failure=0.9).axes
    ends = sorted(x for line in axes.lines for x in line.get_xdata())
    box = axes.patches[0].get_path().vertices[:, 0]
    assert {0.81, 0.9, 0.99} <= {round(float(x), 6) for x in ends}
    assert (box.min(), box.max()) == pytest.approx((0.85, 0.95))


@settings(max_examples=20)
@given(st.dictionaries(st.text(max_size=40), SCORES, min_size=1, max_size=5))
def test_any_scores_can_be_drawn(values):
    figure = draw_distribution(values, failure=0.9)
    assert len(dots(figure)) == sum(
        math.isfinite(value) for row in values.values() for value in row
    )


def test_an_empty_source_has_a_row():
    figure = draw_distribution({"\x00": [math.nan], "b" * 99: []}, failure=0.9)
    assert names(figure)[0] == "?\n1 case\n1 undefined"
    assert to_rgb(figure).shape == (352, 700, 3)


@given(SCORES, st.floats(0, 1))
def test_the_axis_holds_the_failure_line_and_most_cases(values, failure):
    row = np.array(values, dtype=float)
    low = _lowest_shown(row, failure)
    assert 0 <= low < 1
    finite = row[np.isfinite(row)]
    if finite.size:
        assert low <= failure
        assert np.percentile(finite, 2) >= low


def test_dots_do_not_depend_on_the_order():
    forth = to_rgb(draw_distribution({"a": [0.91, 0.97, 0.95]}, failure=0.9))
    back = to_rgb(draw_distribution({"a": [0.95, 0.97, 0.91]}, failure=0.9))
    assert np.array_equal(forth, back)


def test_no_source_is_an_error():
    with pytest.raises(ValueError, match="at least one source"):
        draw_distribution({}, failure=0.9)
