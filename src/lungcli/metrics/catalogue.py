"""Every metric as one row: a new one is a function and a row here.

The columns of `cases.csv`, the blocks of `summary.json`, the tables on the terminal,
the comparison of networks and the report read this table, each in its order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from lungcli.metrics import overlap, surface
from lungcli.metrics.overlap import Overlap
from lungcli.metrics.surface import SurfaceDistances

UNITS: Final = {"mm": "mm", "px": "px", "percent": "%"}
"""Units of distances: end of a score's name to what is shown; % of the diagonal."""


class Reach(IntEnum):
    """Where a metric is shown: in a place, and in all that come before it here."""

    FILES = 0  # `cases.csv`, `summary.json`, and the viewer of the report
    LUNGS = 1  # the report's table by lung
    TERMINAL = 2  # the table of all cases
    MATRIX = 3  # networks by sources
    SOURCES = 4  # each source, cards, the table of cases, comparison of networks
    GROUPS = 5  # each subgroup of patients; on the terminal for each lung


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. Exactly one of the three functions says what is measured.

    Attributes:
        name: In files, where `_mm`, `_px` or `_percent` follows if it is a distance.
        label: For people.
        on_terminal: The same in its tables, if it is another.
        as_heading: The same above a narrow column, if it is another.
        best: Which values are better: the `high`, the `low`, or those near `zero`.
        reach: Up to where it is shown.
        of_counts: A ratio, from the pixels that two masks share.
        of_contours: A ratio, from the distances of two contours and a tolerance.
        of_distances: A distance, in the unit of these; at most the image diagonal.
    """

    name: str
    label: str
    on_terminal: str = ""
    as_heading: str = ""
    best: Literal["high", "low", "zero"]
    reach: Reach
    of_counts: Callable[[Overlap], float] | None = None
    of_contours: Callable[[SurfaceDistances, float], float] | None = None
    of_distances: Callable[[SurfaceDistances], float] | None = None

    @property
    def is_distance(self) -> bool:
        """Whether it has a unit."""
        return self.of_distances is not None

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of its scores: one, or one in each unit."""
        if not self.is_distance:
            return (self.name,)
        return tuple(f"{self.name}_{unit}" for unit in UNITS)

    @property
    def comparable(self) -> str:
        """Name of the score that means the same on any two images."""
        return self.in_unit("percent")

    def in_unit(self, unit: str) -> str:
        """Return the name of its score in one of `UNITS`; a ratio has but one name."""
        return f"{self.name}_{unit}" if self.is_distance else self.name

    def goodness(self, value: float) -> float:
        """Return a number that is the higher, the better a value is."""
        return {"high": value, "low": -value, "zero": -abs(value)}[self.best]


METRICS: tuple[Metric, ...] = (
    Metric(
        name="dice",
        label="Dice",
        best="high",
        reach=Reach.GROUPS,
        of_counts=overlap.dice,
    ),
    Metric(
        name="iou",
        label="IoU",
        on_terminal="IoU (Jaccard)",
        best="high",
        reach=Reach.MATRIX,
        of_counts=overlap.iou,
    ),
    Metric(
        name="sensitivity",
        label="Sensitivity",
        best="high",
        reach=Reach.TERMINAL,
        of_counts=overlap.sensitivity,
    ),
    Metric(
        name="precision",
        label="Precision",
        best="high",
        reach=Reach.TERMINAL,
        of_counts=overlap.precision,
    ),
    Metric(
        name="area_difference",
        label="Area difference",
        as_heading="Area",
        best="zero",
        reach=Reach.LUNGS,
        of_counts=overlap.area_difference,
    ),
    Metric(
        name="nsd",
        label="Surface Dice",
        on_terminal="NSD",
        best="high",
        reach=Reach.SOURCES,
        of_contours=surface.surface_dice,
    ),
    Metric(
        name="hd",
        label="HD",
        best="low",
        reach=Reach.FILES,
        of_distances=surface.hausdorff,
    ),
    Metric(
        name="hd95",
        label="HD95",
        best="low",
        reach=Reach.GROUPS,
        of_distances=surface.hd95,
    ),
    Metric(
        name="assd",
        label="ASSD",
        best="low",
        reach=Reach.SOURCES,
        of_distances=surface.assd,
    ),
)


def shown_in(reach: Reach) -> tuple[Metric, ...]:
    """Return the metrics that are shown in a place, in the order of the table."""
    return tuple(metric for metric in METRICS if metric.reach >= reach)


def distances() -> tuple[Metric, ...]:
    """Return the metrics with a unit."""
    return tuple(metric for metric in METRICS if metric.is_distance)


def ratios() -> tuple[Metric, ...]:
    """Return the metrics without a unit."""
    return tuple(metric for metric in METRICS if not metric.is_distance)


def score_names() -> tuple[str, ...]:
    """Return the names of all scores of a case and structure, as in `cases.csv`."""
    return tuple(name for metric in METRICS for name in metric.scores)


def metric_of(score: str) -> Metric:
    """Return the metric that a score belongs to.

    Examples:
        >>> metric_of("hd95_mm").label
        'HD95'
    """
    return next(metric for metric in METRICS if score in metric.scores)
