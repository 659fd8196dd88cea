"""The curves of a stress test: a panel each, one axis of Dice."""

import math

import numpy as np
import pytest
from PIL import Image

from lungcli.pictures.figures.stress_curves import StressCurve, draw_stress_curves
from lungcli.pictures.figures.theme import save_figure


def curve(title, mean=(0.9, 0.98, 0.6)):
    return StressCurve(
        title=title,
        unit="° $of$ it",
        ticks=("-1", "0", "1"),
        neutral=1,
        mean=mean,
        low=[value - 0.05 for value in mean],
        high=[value + 0.01 for value in mean],
        p5=[value - 0.1 for value in mean],
    )


def panels(figure):
    return [axes for axes in figure.axes if axes.axison]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11])
def test_a_panel_for_each(count):
    curves = [curve(f"p{number}") for number in range(count)]
    figure = draw_stress_curves(curves, thresholds=(0.95, 0.9))
    titles = [axes.get_title(loc="left") for axes in panels(figure)]
    assert titles == [one.title for one in curves]
    assert {axes.get_ylim() for axes in panels(figure)} == {(0, 1.02)}


def test_what_a_panel_shows():
    figure = draw_stress_curves([curve("rotation")], thresholds=(0.95, 0.9))
    (axes,) = panels(figure)
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}
    assert lines["mean"].tolist() == [0.9, 0.98, 0.6]
    assert lines["5th percentile"] == pytest.approx([0.8, 0.88, 0.5])
    assert set(lines["Dice 0.95"]) == {0.95}
    assert set(lines["Dice 0.9"]) == {0.9}
    (unchanged,) = [line for line in axes.lines if line.get_label() == "unchanged"]
    assert np.asarray(unchanged.get_xdata()).tolist() == [1]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["-1", "0", "1"]
    assert axes.get_xlabel() == "° $of$ it"


def test_undefined_levels_are_gaps(tmp_path):
    gappy = curve("shift", mean=(0.9, 0.98, math.nan))
    path = save_figure(
        draw_stress_curves([gappy], thresholds=(0.95,)), tmp_path / "c.png"
    )
    with Image.open(path) as picture:
        assert picture.width == 1400


def test_same_figure_same_bytes(tmp_path):
    for suffix in ("png", "svg"):
        saved = [
            save_figure(
                draw_stress_curves([curve("a")], thresholds=(0.9,)),
                tmp_path / f"{number}.{suffix}",
            ).read_bytes()
            for number in range(2)
        ]
        assert saved[0] == saved[1]
