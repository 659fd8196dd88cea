"""Learning curves with gaps, bad starts and single epochs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.pictures.figures.curves import _dice_range, _loss_range, draw_curves
from lungcli.pictures.figures.theme import to_rgb

VALUES = st.lists(
    st.floats(0, 1, width=32) | st.just(math.nan) | st.just(math.inf), max_size=30
)


def drawn(axes):
    """Return the finite points of each line and of each set of dots."""
    points = [np.ma.masked_invalid(line.get_xydata()) for line in axes.lines]
    return [np.ma.compress_rows(each).tolist() for each in points]


def texts(axes):
    return [axes.get_title("left"), axes.get_title("right")]


@settings(max_examples=20)
@given(loss=VALUES, val_loss=VALUES, dice=VALUES)
def test_any_history_can_be_drawn(loss, val_loss, dice):
    history = {"loss": loss, "val_loss": val_loss, "val_dice": dice}
    losses, scores = draw_curves(history).axes
    for axes in (losses, scores):
        assert axes.get_xlim() == (
            0.5,
            max(map(len, [loss, val_loss, dice, [0]])) + 0.5,
        )


@pytest.mark.parametrize("values", [[], [math.nan], [0.5, 0.4]])
def test_size_of_the_picture(values):
    figure = draw_curves({"loss": values}, title="a run\n" * 40)
    assert to_rgb(figure).shape == (500, 1400, 3)


def test_one_epoch_shows_dots_and_the_best():
    history = {"loss": [0.5], "val_loss": [0.6], "val_dice": [0.9]}
    losses, dice = draw_curves(history).axes
    assert [[1, 0.5]] in drawn(losses)
    assert [[1, 0.6]] in drawn(losses)
    assert texts(dice) == ["Validation Dice", "best 0.9000 in epoch 1"]
    best = dice.lines[-2]
    assert (best.get_fillstyle(), best.get_xydata().tolist()) == ("none", [[1, 0.9]])


def test_the_first_of_equally_good_epochs_is_the_best():
    _, dice = draw_curves({"val_dice": [0.5, math.nan, 0.9, 0.9]}).axes
    assert texts(dice)[1] == "best 0.9000 in epoch 3"


def test_without_validation_only_the_training_loss():
    history = {"loss": [0.5, 0.4, 0.3], "learning_rate": [1.0] * 3}
    losses, dice = draw_curves(history).axes
    assert losses.get_legend() is None
    assert [points for points in drawn(losses) if points] == [
        [[1, 0.5], [2, 0.4], [3, 0.3]]
    ]
    assert texts(dice)[1] == "no validation cases"
    assert not dice.lines


def test_a_value_between_gaps_is_a_dot():
    losses, _ = draw_curves({"loss": [0.5, 0.4, math.nan, 0.3, math.inf, 0.2]}).axes
    line, dots = losses.lines
    assert np.isnan(line.get_ydata()).tolist() == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert dots.get_xydata().tolist() == [[4, 0.3], [6, 0.2]]


def test_epochs_are_whole_numbers():
    losses, _ = draw_curves({"loss": [0.5, 0.4]}).axes
    assert [tick for tick in losses.get_xticks() if 0.5 <= tick <= 2.5] == [1, 2]


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
