"""The axes of charts: from values to places in percent of the width or height."""

import math
from dataclasses import dataclass
from typing import Final

from lungcli.report.texts import number

PLOT: Final = (5.0, 95.0)  # where an axis begins and ends, so that labels fit in
_STEPS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, in percent of its length."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis.

    Attributes:
        start: Its lowest value.
        end: Its highest value.
        first: Where it begins, in percent.
        last: Where it ends.
    """

    start: float
    end: float
    first: float = PLOT[0]
    last: float = PLOT[1]

    def place(self, value: float) -> float:
        """Return where a value lies; one below the axis, halfway to its begin."""
        if value < self.start:
            return self.first / 2
        share = (value - self.start) / (self.end - self.start)
        return round(self.first + share * (self.last - self.first), 3)

    def ticks(self) -> tuple[Tick, ...]:
        """Return the round values on it."""
        span = self.end - self.start
        step = next((s for s in _STEPS if span / s <= _MOST_TICKS), _STEPS[-1])
        first = math.ceil(self.start / step - 1e-9)
        last = math.floor(self.end / step + 1e-9)
        digits = 2 if step >= 0.01 else 3
        return tuple(
            Tick(self.place(max(self.start, k * step)), number(k * step, digits))
            for k in range(first, last + 1)
        )
