"""Learning curves: loss and validation Dice over the epochs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.pictures.figures.theme import (
    BLUE,
    FAINT,
    INK,
    PAGE_INCH,
    VERMILION,
    heading,
    label,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT_INCH: Final = 2.5
_TITLE: Final = 100  # characters that fit above both charts

_SLOW_START: Final = 0.1  # share of the epochs whose Dice may lie below the chart
_SPIKES: Final = 0.05  # share of the losses that may lie above it
_LEAST_SPAN: Final = 0.02  # of the Dice axis: noise must not look like progress

Values = NDArray[np.float64]


@paper_style()
def draw_curves(history: Mapping[str, Sequence[float]], *, title: str = "") -> "Figure":
    """Draw loss and validation Dice side by side, the best epoch marked.

    Args:
        history: Per epoch, from the first: `"loss"`, and `"val_loss"` and
            `"val_dice"` where there are validation cases. Other keys are not drawn.
            What is not finite leaves a gap.
        title: Above both charts, e.g. the name of the run.

    Returns:
        Figure of a page's width. Bad first epochs may lie outside the charts, so that
        the later ones can be read.
    """
    loss, val_loss, dice = _equally_long(history, ("loss", "val_loss", "val_dice"))
    best = int(np.nanargmax(dice)) + 1 if np.isfinite(dice).any() else None
    figure = new_figure(PAGE_INCH, _HEIGHT_INCH)
    heading(figure, label(title, _TITLE))
    left, right = figure.subplots(1, 2)
    _draw_losses(left, loss, val_loss)
    _draw_dice(right, dice, best)
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, len(loss) + 0.5)
        axes.locator_params(axis="x", integer=True)
        if best is not None:
            axes.axvline(best, color=FAINT, linewidth=0.6, zorder=1)
    return figure


def _equally_long(
    history: Mapping[str, Sequence[float]], keys: Sequence[str]
) -> list[Values]:
    """Return the values of each key, NaN where there is none or it is not finite."""
    num_epochs = max(1, *(len(history.get(key, ())) for key in keys))
    curves = [np.full(num_epochs, np.nan) for _ in keys]
    for curve, key in zip(curves, keys, strict=True):
        values = np.asarray(history.get(key, ()), np.float64)
        curve[: len(values)] = np.where(np.isfinite(values), values, np.nan)
    return curves


def _draw_losses(axes: "Axes", loss: Values, val_loss: Values) -> None:
    axes.set_title("Loss")
    axes.set_ylim(_loss_range(np.concatenate([loss, val_loss])))
    _plot(axes, loss, BLUE, "training")
    if np.isfinite(val_loss).any():
        _plot(axes, val_loss, VERMILION, "validation")
        # beside the title: no corner of the chart is empty in every training
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.1
        )


def _draw_dice(axes: "Axes", dice: Values, best: int | None) -> None:
    axes.set_title("Validation Dice")
    axes.set_ylim(_dice_range(dice))
    note = "no validation cases"
    if best is not None:
        _plot(axes, dice, VERMILION, "validation")
        note = f"best {dice[best - 1]:.4f} in epoch {best}"
        axes.plot(best, dice[best - 1], "o", markersize=6, color=INK, fillstyle="none")
    axes.set_title(note, loc="right", fontsize=7)


def _plot(axes: "Axes", values: Values, colour: str, name: str) -> None:
    """Draw a line with gaps; a value between two gaps is a dot."""
    epochs = np.arange(1, len(values) + 1)
    axes.plot(epochs, values, color=colour, label=name)
    finite = np.pad(np.isfinite(values), 1)
    alone = finite[1:-1] & ~finite[:-2] & ~finite[2:]
    axes.plot(epochs[alone], values[alone], "o", color=colour)


def _loss_range(values: Values) -> tuple[float, float]:
    """Return the values' range from 0, without the highest few."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low = min(0.0, float(finite.min()))
    high = float(np.quantile(finite, 1 - _SPIKES, method="higher"))
    return low, low + max(1e-6, 1.08 * (high - low))


def _dice_range(values: Values) -> tuple[float, float]:
    """Return a range that shows the later epochs well, never above 1."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    high = float(finite.max())
    low = float(np.quantile(finite, _SLOW_START, method="lower"))
    span = max(_LEAST_SPAN, high - low)
    low = max(0.0, high - 1.25 * span)
    return low, min(1.0, max(high + 0.1 * span, low + _LEAST_SPAN))
