"""How Dice falls as X-rays get worse: a small curve for each thing that goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lungcli.pictures.figures.theme import (
    BLUE,
    FAINT,
    INK,
    PAGE_INCH,
    VERMILION,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS: Final = 3
_ROW_INCH: Final = 1.55
_LEGEND_INCH: Final = 0.35
_LINES: Final = ((0, (6, 2)), (0, (2, 2)))  # dashes of the thresholds, by turns


@dataclass(frozen=True, slots=True, kw_only=True)
class StressCurve:
    """Dice over the levels of one perturbation; NaN where there is nothing to show.

    Attributes:
        title: Above the panel.
        unit: Below its axis.
        ticks: What the levels are called; all the others are as long.
        neutral: Index of the level that changes nothing.
        mean: Mean Dice of the cases.
        low: Low end of the mean's interval.
        high: High end.
        p5: 5th percentile of the cases.
    """

    title: str
    unit: str
    ticks: Sequence[str]
    neutral: int
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    p5: Sequence[float]


@paper_style()
def draw_stress_curves(
    curves: Sequence[StressCurve], *, thresholds: Sequence[float]
) -> "Figure":
    """Draw one panel a perturbation, all with one axis of Dice from 0 to 1.

    Levels stand equally far apart: most of what matters happens at the weak ones, and
    each can be read off.

    Args:
        curves: At least one.
        thresholds: Values of Dice to rule a line at.

    Returns:
        A figure as wide as a page.
    """
    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure = new_figure(PAGE_INCH, rows * _ROW_INCH + _LEGEND_INCH)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, curve in zip(panels.flat, curves, strict=False):
        _draw(axes, curve, thresholds)
    for axes in panels.flat[len(curves) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("Dice")
    _explain(figure, panels.flat[0])
    return figure


def _draw(axes: "Axes", curve: StressCurve, thresholds: Sequence[float]) -> None:
    places = range(len(curve.ticks))
    axes.plot(places, curve.mean, color=BLUE, marker="o", label="mean")
    axes.fill_between(
        places,
        curve.low,
        curve.high,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        label="its 95 % interval",
    )
    axes.plot(places, curve.p5, color=VERMILION, linewidth=0.9, label="5th percentile")
    axes.plot(
        curve.neutral,
        curve.mean[curve.neutral],
        color=INK,
        marker="D",
        linestyle="none",
        label="unchanged",
    )
    _rule(axes, thresholds)
    axes.set_title(curve.title)
    axes.set_xlabel(curve.unit)
    axes.set_xticks(places, curve.ticks)
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_ylim(0, 1.02)


def _rule(axes: "Axes", thresholds: Sequence[float]) -> None:
    for number, threshold in enumerate(thresholds):
        style: Any = _LINES[number % len(_LINES)]
        axes.axhline(
            threshold,
            color=FAINT,
            linestyle=style,
            linewidth=0.7,
            zorder=1,
            label=f"Dice {threshold:g}",
        )


def _explain(figure: "Figure", axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
