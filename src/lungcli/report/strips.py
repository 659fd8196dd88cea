"""The distribution of Dice: one strip of dots a source, each dot a case.

The template draws it as SVG as wide as the screen; heights are pixels.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from lungcli.report.axes import PLOT, Axis, Tick
from lungcli.report.texts import number

_GUTTER: Final = 15.0  # where it begins if some values lie below it
_TAIL = 0.02  # share of the cases that may lie below the axis
_SPAN = 0.05  # that the axis goes below the failure line at least

_RADIUS: Final = 4.0
_WIDTH: Final = 0.8  # of a dot on a desktop, in % of the strip
_TALLEST = 64.0  # half the height of a strip
_GOLDEN: Final = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Dot:
    """One case: place in percent, height in pixels from the middle, who it is."""

    place: float
    offset: float
    dice: float
    name: str
    link: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """The cases of one source.

    Attributes:
        label: The source.
        note: Its number of cases and median.
        dots: Cases with a Dice.
        half: Half the height in pixels.
        median: Place in percent; None without dots.
    """

    label: str
    note: str
    dots: tuple[Dot, ...]
    half: float
    median: float | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """The Dice of every case by source, on one axis.

    Attributes:
        strips: One a source.
        ticks: Of the axis.
        failure: Place of the failure line.
        limit: What it stands for.
        below: What lies left of the axis; None if nothing does.
    """

    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]
    failure: float
    limit: float
    below: str | None


@dataclass(frozen=True, slots=True)
class Scored:
    """What the distribution needs of a case; `dice` is None if undefined."""

    source: str
    name: str
    link: str
    dice: float | None


def distribution(cases: Sequence[Scored], limit: float) -> Distribution:
    """Lay the Dice of all cases out as one strip of dots a source.

    The axis is zoomed to where the cases are. A few far below it stand at its left
    end, in a place of their own that says so.

    Args:
        cases: All of them, in any order.
        limit: A Dice below it is a failure.
    """
    values = sorted(case.dice for case in cases if case.dice is not None)
    start = _axis_start(values, limit)
    below = bool(values) and values[0] < start
    axis = Axis(start, 1.0, first=_GUTTER if below else PLOT[0])
    names = sorted({case.source for case in cases})
    groups = {name: [case for case in cases if case.source == name] for name in names}
    return Distribution(
        strips=tuple(
            _strip(name, group, axis, limit) for name, group in groups.items()
        ),
        ticks=axis.ticks(),
        failure=axis.place(limit),
        limit=limit,
        below=f"< {number(start, 2)}" if below else None,
    )


def _axis_start(values: Sequence[float], limit: float) -> float:
    low = limit - _SPAN
    if values:
        low = min(low, values[int(_TAIL * len(values))])
    return max(0.0, math.floor(low * 20 + 1e-9) / 20)


def _strip(label: str, cases: Sequence[Scored], axis: Axis, limit: float) -> Strip:
    defined = sorted(
        (case.dice, case.name, case.link) for case in cases if case.dice is not None
    )
    places = [axis.place(dice) for dice, _, _ in defined]
    offsets, half = _pile(places)
    dots = tuple(
        Dot(place, offset, dice, name, link, failed=dice < limit)
        for place, offset, (dice, name, link) in zip(
            places, offsets, defined, strict=True
        )
    )
    median = _median([dice for dice, _, _ in defined])
    return Strip(
        label=label,
        note=_note(len(cases), len(defined), median),
        dots=dots,
        half=half,
        median=None if median is None else axis.place(median),
    )


def _note(num_cases: int, num_defined: int, median: float | None) -> str:
    parts = [f"n = {num_cases:,}", f"median {number(median)}"]
    if num_cases > num_defined:
        parts.append(f"{num_cases - num_defined} undefined")
    return " · ".join(parts)


def _pile(places: Sequence[float]) -> tuple[list[float], float]:
    """Stack dots that would touch above and below the middle, as near as they fit.

    Stacked in the order of their values, they would form a herringbone; steps of the
    golden ratio mix them, always in the same way.
    """
    mixed = sorted(range(len(places)), key=lambda index: index * _GOLDEN % 1)
    rows: dict[int, dict[int, float]] = defaultdict(dict)
    levels = [0] * len(places)
    for index in mixed:
        place = places[index]
        outwards = ((k + 1) // 2 * (1 if k % 2 else -1) for k in count())
        levels[index] = next(k for k in outwards if _is_free(rows[k], place))
        rows[levels[index]][int(place / _WIDTH)] = place
    highest = max(map(abs, levels), default=0)
    step = min(2 * _RADIUS, _TALLEST / max(1, highest))
    half = highest * step + 2 * _RADIUS
    return [round(level * step, 2) for level in levels], round(half, 2)


def _is_free(row: Mapping[int, float], place: float) -> bool:
    """Tell whether a dot fits into a row, which knows its dots by their cell."""
    cell = int(place / _WIDTH)
    near = (row.get(cell + step, math.inf) for step in (-1, 0, 1))
    return all(abs(place - other) >= _WIDTH for other in near)


def _median(values: Sequence[float]) -> float | None:
    """Return the median of sorted values."""
    if not values:
        return None
    middle = len(values) // 2
    return (values[middle] + values[~middle]) / 2
