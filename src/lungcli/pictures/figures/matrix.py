"""Train by test: a table of scores as a heat map, every number readable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.pictures.figures.theme import (
    COLUMN_INCH,
    FAINT,
    INK,
    PAPER,
    heading,
    label,
    new_figure,
    paper_style,
    text_colour,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

_CELL_INCH: Final = (0.78, 0.46)  # width, height
_AROUND_INCH: Final = 0.7  # beside and around the cells, without the names
_LETTER_INCH: Final = 0.06
_LONG: Final = 32  # characters of a model's name; runs differ after the date
_ABOVE_A_CELL: Final = 12  # characters; longer names of data sets are slanted

_COLOURS: Final = "cividis"
"""Perceptually uniform, the same to red-green blind eyes, readable in gray:
Nuñez, Anderton and Renslow (2018), https://doi.org/10.1371/journal.pone.0199239"""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """A score of one model on one data set.

    Attributes:
        mean: In [0, 1], more is better; NaN if no case defines it.
        low: Of the 95 % interval; NaN if there is none. So is `high`.
        high: Its upper end.
        seen: Whether the model was trained on these very cases.
    """

    mean: float
    low: float
    high: float
    seen: bool


@paper_style()
def draw_matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Cell | None]],
    *,
    title: str,
) -> "Figure":
    """Draw the scores of several models on several data sets.

    Args:
        rows: Names of the models, from top to bottom.
        columns: Names of the data sets, from left to right.
        cells: One row of cells for each model; None was not measured. Cells that a
            model was trained on are framed.
        title: What the numbers are.

    Returns:
        Figure at least as wide as a column, growing with the cells.

    Raises:
        ValueError: If the cells do not match the names, or there are none.
    """
    _check_shape(rows, columns, cells)
    means = np.array([[_mean(cell) for cell in row] for row in cells])
    low, high = _colour_range(means)
    figure = new_figure(*_size(rows, columns))
    figure.set_layout_engine("compressed")  # cells keep their shape
    heading(figure, title)
    axes = figure.subplots()
    axes.set_aspect(_CELL_INCH[1] / _CELL_INCH[0])
    mesh = axes.pcolormesh(
        means, cmap=_COLOURS, vmin=low, vmax=high, edgecolors=PAPER, linewidth=1
    )
    for (y, x), mean in np.ndenumerate(means):
        behind = mesh.cmap((mean - low) / (high - low))
        _write_cell(axes, (x + 0.5, y + 0.5), cells[y][x], text_colour(behind))
    _name_axes(axes, rows, columns)
    if axes.patches:
        _explain_frame(axes)
    return figure


def _check_shape(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell | None]]
) -> None:
    lengths = [len(row) for row in cells]
    if not rows or lengths != [len(columns) or -1] * len(rows):
        msg = (
            f"matrix of rows of {lengths} cells: got {len(rows)} names of rows and "
            f"{len(columns)} of columns."
        )
        raise ValueError(msg)


def _size(rows: Sequence[str], columns: Sequence[str]) -> tuple[float, float]:
    """Return width and height that leave room for the names, in inches."""
    left = _AROUND_INCH + _LETTER_INCH * max(len(label(name, _LONG)) for name in rows)
    above = _AROUND_INCH
    if _slanted(columns):
        above += 0.5 * _LETTER_INCH * max(len(label(name)) for name in columns)
    width, height = _CELL_INCH
    return max(COLUMN_INCH, left + width * len(columns)), above + height * len(rows)


def _slanted(columns: Sequence[str]) -> bool:
    return max(map(len, columns)) > _ABOVE_A_CELL


def _mean(cell: Cell | None) -> float:
    return math.nan if cell is None else cell.mean


def _colour_range(means: Values) -> tuple[float, float]:
    """Return round ends of the colour scale that hold all means."""
    finite = means[np.isfinite(means)]
    if not finite.size:
        return 0.0, 1.0
    step = 0.1  # a narrower scale would make much of thousandths
    worst, best = min(finite.min(), 1 - step) / step, finite.max() / step
    low = round(step * math.floor(worst + 1e-9), 2)
    return low, max(round(step * math.ceil(best - 1e-9), 2), low + step)


def _write_cell(
    axes: "Axes", place: tuple[float, float], cell: Cell | None, colour: str
) -> None:
    """Write mean and interval, and frame a cell whose cases taught the model."""
    x, y = place
    if cell is None or math.isnan(cell.mean):
        note = "not measured" if cell is None else "undefined"
        _write(axes, (x, y), note, FAINT, 5.5)
        return
    has_interval = math.isfinite(cell.low) and math.isfinite(cell.high)
    _write(axes, (x, y - 0.13 * has_interval), f"{cell.mean:.3f}", colour, 8)
    if has_interval:
        _write(axes, (x, y + 0.22), f"{cell.low:.3f}–{cell.high:.3f}", colour, 5.5)
    if cell.seen:
        axes.add_patch(_frame((x - 0.45, y - 0.43), 0.9, 0.86, colour))


def _write(
    axes: "Axes", place: tuple[float, float], text: str, colour: str, size: float
) -> None:
    axes.text(*place, text, color=colour, fontsize=size, ha="center", va="center")


def _frame(
    corner: tuple[float, float], width: float, height: float, colour: str
) -> "Rectangle":
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - half a second

    return Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=1)


def _name_axes(axes: "Axes", rows: Sequence[str], columns: Sequence[str]) -> None:
    axes.set(xlabel="data", ylabel="model")
    axes.invert_yaxis()
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    slanted = _slanted(columns)
    axes.set_xticks(
        np.arange(len(columns)) + 0.5,
        [label(name) for name in columns],
        rotation=30 if slanted else 0,
        ha="left" if slanted else "center",
    )
    axes.set_yticks(np.arange(len(rows)) + 0.5, [label(name, _LONG) for name in rows])


def _explain_frame(axes: "Axes") -> None:
    axes.legend(
        [_frame((0, 0), 1, 1, INK)],
        ["the model was trained on some of these cases"],
        loc="upper left",
        bbox_to_anchor=(0, -0.02),
        borderaxespad=0,
        handlelength=1.5,
    )
