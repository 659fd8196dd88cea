"""The curves of a training: loss and validation Dice over the epochs.

The template draws them as SVG as wide as the screen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lungcli.report.axes import Axis, Tick
from lungcli.report.texts import number

_SLOW_START = 0.1  # share of the epochs that may lie below the chart of Dice
_SPIKES = 0.05  # share of the losses that may lie above theirs


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as the points of a polyline in a box of 100 by 100, rows running down.

    A gap in the values begins another polyline.
    """

    label: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over the epochs, with the places of the ticks in percent.

    Attributes:
        title: What is drawn.
        lines: One or two.
        note: What it comes to, in words.
        rows: Ticks of the vertical axis, from the top.
        epochs: Ticks of the horizontal axis.
        best: Place of the best epoch; None without validation.
    """

    title: str
    lines: tuple[Line, ...]
    note: str = ""
    rows: tuple[Tick, ...] = ()
    epochs: tuple[Tick, ...] = ()
    best: float | None = None


def curves(history: Sequence[Mapping[str, float | None]]) -> list[Chart]:
    """Lay out loss and validation Dice over the epochs.

    Args:
        history: One row an epoch: `loss`, and `val_loss` and `val_dice` where there
            are validation cases.

    Returns:
        Up to two charts; none without a value. Bad first epochs may lie outside them,
        so that the later ones can be read.
    """
    columns = {
        name: [row.get(name) for row in history]
        for name in ("loss", "val_loss", "val_dice")
    }
    dice = [value for value in columns["val_dice"] if value is not None]
    best = columns["val_dice"].index(max(dice)) if dice else None
    charts = []
    losses = {"training": columns["loss"], "validation": columns["val_loss"]}
    if _defined(losses.values()):
        charts.append(_chart("Loss", losses, best, _loss_axis(losses.values())))
    if dice and best is not None:
        drawn = {"validation": columns["val_dice"]}
        note = f"best {number(max(dice), 4)} in epoch {best + 1}"
        charts.append(_chart("Validation Dice", drawn, best, _dice_axis(dice), note))
    return charts


_Values = Sequence[float | None]


def _defined(columns: Iterable[_Values]) -> list[float]:
    return [value for column in columns for value in column if value is not None]


def _loss_axis(columns: Iterable[_Values]) -> Axis:
    values = sorted(_defined(columns))
    top = values[max(0, math.ceil((1 - _SPIKES) * len(values)) - 1)]
    return Axis(0.0, _rounded_up(top), 0.0, 100.0)


def _dice_axis(values: Sequence[float]) -> Axis:
    ordered = sorted(values)
    low, high = ordered[int(_SLOW_START * len(ordered))], ordered[-1]
    low = min(low, high - 0.02)  # noise must not look like progress
    return Axis(max(0.0, math.floor(low * 50) / 50), 1.0, 0.0, 100.0)


def _rounded_up(value: float) -> float:
    """Return the next value that ends an axis well: 1, 2, 2.5 or 5 of a power of 10.

    Examples:
        >>> _rounded_up(0.37), _rounded_up(1.2), _rounded_up(0.0)
        (0.5, 2.0, 1.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        float(f"{k * power:.6g}") for k in (1, 2, 2.5, 5, 10) if k * power >= value
    )


def _chart(
    title: str,
    columns: Mapping[str, _Values],
    best: int | None,
    axis: Axis,
    note: str = "",
) -> Chart:
    length = max(len(values) for values in columns.values())
    epoch = Axis(1.0, float(max(2, length)), 0.0, 100.0)
    lines = (
        Line(label, _polylines(values, epoch, axis))
        for label, values in columns.items()
        if _defined([values])
    )
    span = axis.end - axis.start
    rows = (axis.start + share * span for share in (0, 0.25, 0.5, 0.75, 1))
    digits = 2 if span > 0.1 else 3
    return Chart(
        title=title,
        lines=tuple(lines),
        note=note,
        rows=tuple(Tick(100 - axis.place(v), number(v, digits)) for v in rows),
        epochs=tuple(
            Tick(epoch.place(e), str(e)) for e in sorted({1, (1 + length) // 2, length})
        ),
        best=None if best is None else epoch.place(best + 1),
    )


def _polylines(values: _Values, epoch: Axis, axis: Axis) -> tuple[str, ...]:
    parts: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            parts.append([])
            continue
        span = axis.end - axis.start
        row = min(120.0, max(-20.0, 100 * (axis.end - value) / span))
        parts[-1].append(f"{epoch.place(index + 1):.5g},{row:.5g}")
    return tuple(" ".join(points) for points in parts if points)
