"""Learning curves with gaps, bad starts and single epochs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.pictures.charts import Chart, Line, draw_chart, nice_ticks
from lungcli.pictures.colours import TRAINING, VALIDATION, WHITE
from lungcli.pictures.curves import _dice_range, _loss_range, draw_curves

VALUES = st.lists(
    st.floats(0, 1, width=32) | st.just(math.nan) | st.just(math.inf), max_size=30
)


def shows(picture, colour):
    return bool((abs(picture.astype(int) - colour).max(axis=2) < 12).any())


@settings(max_examples=15, deadline=None)
@given(loss=VALUES, val_loss=VALUES, dice=VALUES)
def test_any_history_can_be_drawn(loss, val_loss, dice):
    finite = [value if math.isfinite(value) else math.nan for value in dice]
    history = {"loss": loss, "val_loss": val_loss, "val_dice": finite}
    assert draw_curves(history, title="run").shape == (444, 1280, 3)


def test_one_epoch_shows_dots_and_the_best():
    picture = draw_curves({"loss": [0.5], "val_loss": [0.6], "val_dice": [0.9]})
    assert shows(picture[:, :640], TRAINING)
    assert shows(picture[:, :640], VALIDATION)
    assert shows(picture[:, 640:], VALIDATION)
    assert shows(picture[:, 640:], WHITE)


def test_without_validation_only_the_training_loss():
    picture = draw_curves({"loss": [0.5, 0.4, 0.3], "learning_rate": [1.0] * 3})
    assert shows(picture, TRAINING)
    assert not shows(picture, VALIDATION)


def chart(values, **changes):
    line = Line("loss", np.array(values, dtype=float), TRAINING)
    return Chart(title="", lines=(line,), y_range=(0.0, 1.0), **changes)


def columns_drawn(picture):
    array = np.asarray(picture).astype(int)
    return (abs(array - TRAINING).max(axis=2) < 60).any(axis=0)


def test_nan_leaves_a_gap():
    whole = columns_drawn(draw_chart(chart([0.5] * 9), (400, 200)))
    broken = [0.5] * 4 + [math.nan] + [0.5] * 4
    gap = whole & ~columns_drawn(draw_chart(chart(broken), (400, 200)))
    middle = np.flatnonzero(whole).mean()
    assert gap.sum() > 0.15 * whole.sum()
    assert np.flatnonzero(gap).mean() == pytest.approx(middle, abs=2)


def test_values_beyond_the_range_do_not_leave_the_plot():
    outside = draw_chart(chart([5.0, 5.0, -4.0]), (400, 200))
    rows = (abs(np.asarray(outside).astype(int) - TRAINING).max(axis=2) < 60).any(1)
    assert np.flatnonzero(rows).min() >= 35
    assert np.flatnonzero(rows).max() < 155


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1], id="unit"),
        pytest.param(0.95, 0.98, [0.95, 0.96, 0.97, 0.98], id="dice"),
        pytest.param(1, 60, [20, 40, 60], id="epochs"),
        pytest.param(3, 3, [3], id="point"),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert nice_ticks(low, high) == pytest.approx(expected)


@given(low=st.floats(-1e3, 1e3), span=st.floats(1e-3, 1e3))
def test_ticks_lie_in_the_range(low, span):
    ticks = nice_ticks(low, low + span)
    margin = 1e-5 * span
    assert 2 <= len(ticks) <= 12
    assert low - margin <= ticks[0] < ticks[-1] <= low + span + margin


def test_dice_range_forgets_a_bad_start():
    low, high = _dice_range(np.array([0.0, 0.3] + [0.95] * 10 + [0.97] * 20))
    assert 0.9 < low < 0.95
    assert 0.97 < high <= 1.0


def test_dice_range_does_not_magnify_noise():
    low, high = _dice_range(np.array([0.97, 0.9701, 0.9702]))
    assert high - low >= 0.02
    assert high <= 1.0


@pytest.mark.parametrize("values", [[], [math.nan], [0.0], [1.0]])
def test_ranges_of_little(values):
    for low, high in (_dice_range(np.array(values)), _loss_range(np.array(values))):
        assert low < high


def test_loss_range_starts_at_zero_and_drops_spikes():
    low, high = _loss_range(np.array([50.0] + [0.5] * 99))
    assert low == 0.0
    assert high == pytest.approx(0.54)
