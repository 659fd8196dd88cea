"""Every score of one case."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np

from lungcli import anatomy
from lungcli.anatomy import BACKGROUND, IGNORE, Structure
from lungcli.arrays import LabelMap, Mask, SpacingMm, where_known
from lungcli.errors import ConfigError
from lungcli.masks.regions import bounding_box
from lungcli.metrics import catalogue
from lungcli.metrics.overlap import (
    LUNGS,
    NAN,
    PARTS,
    Overlap,
    is_swapped,
    masks_of,
    overlap,
)
from lungcli.metrics.surface import SurfaceDistances, surface_distances

Unit = Literal["mm", "px", "%"]
_TOLERANCE: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(mm|px|%)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What is known of a case besides its masks.

    Attributes:
        source: Name of its source.
        case_id: Its name there.
        patient_id: Of its patient there; intervals are by patient.
        height: Of its original grid, in pixels.
        width: Likewise.
        spacing_mm: Pixel size (row, column) of that grid; None if unknown.
        groups: `finding`, `sex`, `age`, `view`, as far as the data set has them; `""`
            is unknown.
    """

    source: str
    case_id: str
    patient_id: str
    height: int
    width: int
    spacing_mm: SpacingMm | None
    groups: Mapping[str, str]

    @property
    def name(self) -> str:
        """What tells it from all other cases, for people."""
        return f"{self.source}/{self.case_id}"

    @property
    def diagonal_px(self) -> float:
        """Diagonal of the image in pixels."""
        return math.hypot(self.height, self.width)

    @property
    def diagonal_mm(self) -> float:
        """Diagonal of the image in mm; NaN without a pixel size."""
        if self.spacing_mm is None:
            return NAN
        row_mm, column_mm = self.spacing_mm
        return math.hypot(self.height * row_mm, self.width * column_mm)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a contour may be off and still count as right.

    Attributes:
        value: At least 0.
        unit: `%` is that of the image diagonal.
    """

    value: float = 0.5
    unit: Unit = "%"

    @classmethod
    def parse(cls, text: str) -> "Tolerance":
        """Read a tolerance.

        Args:
            text: A number with unit: `2mm`, `3px`, `0.5%`.

        Raises:
            ConfigError: If it is none.

        Examples:
            >>> Tolerance.parse("2 mm")
            Tolerance(value=2.0, unit='mm')
        """
        found = _TOLERANCE.fullmatch(text)
        if found is None:
            msg = (
                f"tolerance {text!r} is not a number with unit. "
                "Give millimetres (2mm), pixels (3px) or % of the diagonal (0.5%)."
            )
            raise ConfigError(msg)
        return cls(float(found[1]), cast(Unit, found[2]))

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    def for_case(self, facts: CaseFacts) -> tuple[float, str]:
        """Return the tolerance of one case, and the unit to measure it in.

        Returns:
            A number and `mm` or `px`; mm for `%` where the pixel size is known.

        Raises:
            ConfigError: If it is in mm and the pixel size is unknown.
        """
        if self.unit == "mm" and facts.spacing_mm is None:
            msg = (
                f"tolerance {self}: the pixel size of {facts.name} is unknown. "
                "Give the tolerance in pixels (3px) or % of the image diagonal (0.5%)."
            )
            raise ConfigError(msg)
        if self.unit != "%":
            return self.value, self.unit
        if facts.spacing_mm is None:
            return self.value / 100 * facts.diagonal_px, "px"
        return self.value / 100 * facts.diagonal_mm, "mm"


DEFAULT_TOLERANCE: Final = Tolerance()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScores:
    """The scores of one case.

    Attributes:
        facts: What is known of it.
        scores: What is scored, of `overlap.PARTS` (`lungs`, `right`, `left`, and
            others that are known), to score name to value; NaN if undefined.
        missed: Structures that are empty in one of the two masks: their distances are
            the diagonal of the image.
        swapped: Whether the two lungs fit better with their sides exchanged.
        ignored: Pixels of which the reference says nothing; in no score.
    """

    facts: CaseFacts
    scores: Mapping[str, Mapping[str, float]]
    missed: tuple[str, ...] = ()
    swapped: bool = False
    ignored: int = 0

    @property
    def source(self) -> str:
        """Name of its source."""
        return self.facts.source

    @property
    def case_id(self) -> str:
        """Its name there."""
        return self.facts.case_id

    @property
    def dice(self) -> float:
        """Dice of the lungs together, in [0, 1]; NaN if undefined."""
        return self.scores[LUNGS]["dice"]


def score_case(
    facts: CaseFacts,
    reference: LabelMap,
    predicted: LabelMap,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    structures: Sequence[Structure] = anatomy.LUNGS,
) -> CaseScores:
    """Compute every score of one case.

    Args:
        facts: Of the case.
        reference: Label map of an expert, uint8 `(height, width)`.
        predicted: Label map to be scored, of the same shape.
        tolerance: Of `nsd`.
        structures: What both label maps know; nothing else in them counts.

    Raises:
        ValueError: If a label map has another shape than the case.
        ConfigError: If the tolerance is in mm and the pixel size is unknown.
    """
    if not reference.shape == predicted.shape == (facts.height, facts.width):
        msg = (
            f"{facts.name}: {facts.height} × {facts.width} pixels, but reference "
            f"{reference.shape} and predicted {predicted.shape}."
        )
        raise ValueError(msg)
    ignored = int(np.count_nonzero(reference == IGNORE))
    predicted = where_known(predicted, reference)
    box = bounding_box((reference | predicted) > BACKGROUND)
    reference, predicted = reference[box], predicted[box]
    ours, theirs = (masks_of(each, structures) for each in (reference, predicted))
    counts = {part: overlap(ours[part], theirs[part]) for part in ours}
    return CaseScores(
        facts=facts,
        scores={
            part: _scores_of(
                counts[part],
                _measure(ours[part], theirs[part], facts.spacing_mm),
                facts,
                tolerance,
            )
            for part in counts
        },
        missed=tuple(part for part in counts if _is_missed(counts[part])),
        swapped=is_swapped(reference, predicted),
        ignored=ignored,
    )


def parts_of(cases: Sequence[CaseScores]) -> tuple[str, ...]:
    """Return what is scored in any of some cases, the lungs first."""
    return tuple(part for part in PARTS if any(part in case.scores for case in cases))


def common_unit(cases: Sequence[CaseScores]) -> str:
    """Return the unit in which distances of several cases may be pooled.

    Returns:
        `mm` if every pixel size is known; `px` if none is and all images have one
        size, since pixels of different grids are no common unit; else `percent` (of
        the image diagonal).
    """
    facts = [case.facts for case in cases]
    if all(fact.spacing_mm is not None for fact in facts):
        return "mm"
    known = any(fact.spacing_mm is not None for fact in facts)
    one_grid = len({(fact.height, fact.width) for fact in facts}) == 1
    return "px" if one_grid and not known else "percent"


def _is_missed(counts: Overlap) -> bool:
    in_reference = counts.both + counts.missed > 0
    in_predicted = counts.both + counts.extra > 0
    return in_reference != in_predicted


def _scores_of(
    counts: Overlap,
    measured: Mapping[str, SurfaceDistances],
    facts: CaseFacts,
    tolerance: Tolerance,
) -> dict[str, float]:
    limit, unit = tolerance.for_case(facts)
    scores: dict[str, float] = {}
    for metric in catalogue.METRICS:
        if metric.of_counts is not None:
            scores[metric.name] = metric.of_counts(counts)
        elif metric.of_contours is not None:
            scores[metric.name] = metric.of_contours(measured[unit], limit)
        elif metric.of_distances is not None:
            values = _in_each_unit(metric.of_distances, measured, facts)
            scores |= zip(metric.scores, values, strict=True)
    return scores


def _in_each_unit(
    distance: Callable[[SurfaceDistances], float],
    measured: Mapping[str, SurfaceDistances],
    facts: CaseFacts,
) -> tuple[float, ...]:
    """Return a distance in each of `catalogue.UNITS`, at most the image diagonal."""
    mm, px = NAN, min(distance(measured["px"]), facts.diagonal_px)
    percent = 100 * px / facts.diagonal_px
    if "mm" in measured:
        mm = min(distance(measured["mm"]), facts.diagonal_mm)
        percent = 100 * mm / facts.diagonal_mm
    return mm, px, percent


def _measure(
    reference: Mask, predicted: Mask, spacing_mm: SpacingMm | None
) -> dict[str, SurfaceDistances]:
    pixels = surface_distances(reference, predicted)
    if spacing_mm is None:
        return {"px": pixels}
    row_mm, column_mm = spacing_mm
    if row_mm == column_mm:
        return {"px": pixels, "mm": pixels.scaled(row_mm)}
    return {"px": pixels, "mm": surface_distances(reference, predicted, spacing_mm)}
