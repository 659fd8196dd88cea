"""How a score is distributed: a box for each source, and every case as a dot."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.pictures.figures.theme import (
    BLUE,
    COLUMN_INCH,
    INK,
    PAPER,
    VERMILION,
    heading,
    label,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_INCH: Final = 0.52
_AROUND_INCH: Final = 0.72  # above and below the rows
_WHISKERS: Final = (5, 95)  # percentiles
_BOX: Final = 0.26  # height, of a row's 1; dots lie in as wide a band below it
_BAND: Final = 0.3
_SHOWN: Final = 2  # percentile where the axis may begin; worse cases lie at its edge
_MANY: Final = 2000  # dots that a vector file holds as pixels
_GOLDEN_RATIO: Final = 0.6180339887498949

Values = NDArray[np.float64]


@paper_style()
def draw_distribution(
    values: Mapping[str, Sequence[float]], *, failure: float
) -> "Figure":
    """Draw the Dice of every case, by source.

    Boxes show the quartiles and the median, whiskers the 5th and the 95th percentile.
    A few very bad cases would squeeze all others: those below the axis are triangles at
    its left edge, counted below the source's name.

    Args:
        values: Dice in [0, 1] of the cases of each source, drawn from top to bottom.
            NaN is undefined and counted.
        failure: Cases below are failures: a line, and dots of another colour.

    Returns:
        Figure of a column's width, higher with more sources.

    Raises:
        ValueError: If there is no source.
    """
    if not values:
        msg = "a distribution needs the values of at least one source."
        raise ValueError(msg)
    rows = {name: np.asarray(row, np.float64) for name, row in values.items()}
    low = _lowest_shown(np.concatenate(list(rows.values())), failure)
    figure = new_figure(COLUMN_INCH, _AROUND_INCH + _ROW_INCH * len(rows))
    heading(figure, "Dice by source")
    axes = figure.subplots()
    axes.set(xlim=(low, 1.0 + 0.015 * (1 - low)), ylim=(len(rows) - 0.4, -0.6))
    axes.set_xlabel("Dice")
    axes.locator_params(axis="x", nbins=6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.axvline(failure, color=VERMILION, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.text(failure, -0.62, "failures ", color=VERMILION, fontsize=6, ha="right")
    names = [_describe(name, row, low) for name, row in rows.items()]
    axes.set_yticks(range(len(rows)), names)
    axes.tick_params(axis="y", length=0)
    for place, row in enumerate(rows.values()):
        finite = np.sort(row[np.isfinite(row)])
        _draw_box(axes, place - 0.2, finite)
        _draw_dots(axes, place + 0.05, finite, failure)
    return figure


def _lowest_shown(values: Values, failure: float) -> float:
    """Return where the axis begins: a round number, never above the failure line."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0
    worst = float(finite.min())
    low = min(failure, float(np.percentile(finite, _SHOWN)))
    if low - worst < 0.5 * (1 - low):
        low = min(low, worst)  # no need to leave any out
    step = 0.05 if low > 0.7 else 0.1
    return float(max(0.0, round(step * math.floor((low - 0.01) / step), 2)))


def _describe(name: str, row: Values, low: float) -> str:
    finite = row[np.isfinite(row)]
    beyond = int((finite < low).sum())
    lines = [label(name), f"{len(row)} cases" if len(row) != 1 else "1 case"]
    if len(finite) < len(row):
        lines.append(f"{len(row) - len(finite)} undefined")
    if beyond:
        lines.append(f"{beyond} below {low:g}, worst {finite.min():.2f}")
    return "\n".join(lines)


def _draw_box(axes: "Axes", place: float, finite: Values) -> None:
    line = {"color": INK, "linewidth": 0.8}
    axes.boxplot(
        [finite],
        positions=[place],
        widths=_BOX,
        orientation="horizontal",
        whis=_WHISKERS,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": PAPER, "edgecolor": INK, "linewidth": 0.8},
        medianprops={"color": INK, "linewidth": 1.6},
        whiskerprops=line,
        capprops=line,
    )


def _draw_dots(axes: "Axes", top: float, ordered: Values, failure: float) -> None:
    """Spread the dots over a band, the same way each time and without clumps."""
    heights = top + _BAND * (np.arange(1, len(ordered) + 1) * _GOLDEN_RATIO % 1)
    low = axes.get_xlim()[0]
    beyond = ordered < low
    for chosen, marker, area in ((~beyond, "o", 5), (beyond, "<", 12)):
        if not chosen.any():
            continue
        axes.scatter(
            np.maximum(ordered[chosen], low),
            heights[chosen],
            s=area,
            c=np.where(ordered[chosen] < failure, VERMILION, BLUE).tolist(),
            marker=marker,
            alpha=0.7,
            linewidths=0,
            clip_on=False,
            rasterized=len(ordered) > _MANY,
            zorder=3,
        )
