"""What several rounds on a noisy machine say together."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of a few values."""

    median: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """Return what people read: `1.52 (1.47-1.60)`, or `1.52` if all are equal."""
        median, low, high = (
            f"{value:.{digits}f}" for value in (self.median, self.low, self.high)
        )
        return median if low == high else f"{median} ({low}-{high})"

    def to_dict(self) -> dict[str, Any]:
        """Return the spread as a JSON object."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """Return median and range.

    Raises:
        ValueError: If there are no values.
    """
    if not values:
        msg = "no values, no spread."
        raise ValueError(msg)
    return Spread(statistics.median(values), min(values), max(values))


def ratio(values: Sequence[float], rival: Sequence[float]) -> Spread:
    """Return the spread of the ratios round by round.

    The two of a round were measured one right after the other: what slowed both
    cancels out, as it would not in a ratio of medians.

    Raises:
        ValueError: If one has more rounds than the other.
    """
    return spread([ours / theirs for ours, theirs in zip(values, rival, strict=True)])
