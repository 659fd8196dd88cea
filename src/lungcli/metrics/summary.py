"""From the scores of cases to the numbers that are published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lungcli.metrics.overlap import LUNGS, SCORES, Overlap

_NUMBERS = ("mean", "sd", "median", "p5", "min", "worst", "worst_source")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScores:
    """The scores of one case.

    Attributes:
        source: Name of its source.
        case_id: Its name there.
        scores: Structure (`lungs`, `right`, `left`) to score name to value.
    """

    source: str
    case_id: str
    scores: Mapping[str, Mapping[str, float]]

    @property
    def dice(self) -> float:
        """Dice of the lungs together, in [0, 1]; NaN if undefined."""
        return self.scores[LUNGS]["dice"]


def score_case(source: str, case_id: str, counts: Mapping[str, Overlap]) -> CaseScores:
    """Compute every score of one case from its pixel counts."""
    scores = {
        structure: {name: score(overlap) for name, score in SCORES.items()}
        for structure, overlap in counts.items()
    }
    return CaseScores(source=source, case_id=case_id, scores=scores)


def summarize(cases: Sequence[CaseScores]) -> dict[str, Any]:
    """Summarize the scores of all cases and of each source.

    A score that is undefined (both masks empty) is counted as such and enters no
    mean; a lung that was missed has Dice 0 and does.

    Args:
        cases: At least one case.

    Returns:
        A JSON document: `cases`, then for the lungs together `dice`, `iou`,
        `sensitivity` and `precision`, each with mean, sd, median, p5, min, worst and
        worst_source (the case) and undefined (a count); the same under `right`,
        `left`, and under `sources` for each source. None stands for what is undefined.
    """
    names = sorted({case.source for case in cases})
    return {
        **_summarize_group(cases),
        "sources": {
            name: _summarize_group([case for case in cases if case.source == name])
            for name in names
        },
    }


def worst_first(cases: Sequence[CaseScores]) -> list[CaseScores]:
    """Return the cases by rising Dice; undefined ones last."""
    return sorted(cases, key=worst_first_key)


def worst_first_key(case: CaseScores) -> tuple[bool, float, str, str]:
    """Sort by rising Dice; undefined ones last."""
    return (math.isnan(case.dice), case.dice, case.source, case.case_id)


def _summarize_group(cases: Sequence[CaseScores]) -> dict[str, Any]:
    summary: dict[str, Any] = {"cases": len(cases)}
    for structure in ("lungs", "right", "left"):
        scores = {name: _summarize_score(cases, structure, name) for name in SCORES}
        if structure == LUNGS:
            summary.update(scores)
        else:
            summary[structure] = scores
    return summary


def _summarize_score(
    cases: Sequence[CaseScores], structure: str, name: str
) -> dict[str, Any]:
    values = [
        (case.scores[structure][name], (case.source, case.case_id)) for case in cases
    ]
    defined = [(value, key) for value, key in values if not math.isnan(value)]
    undefined = len(values) - len(defined)
    if not defined:
        empty = dict.fromkeys(_NUMBERS)
        return {**empty, "undefined": undefined}
    numbers = np.array([value for value, _ in defined])
    lowest, (worst_source, worst) = min(defined)
    return {
        "mean": float(numbers.mean()),
        "sd": float(numbers.std(ddof=1)) if len(numbers) > 1 else None,
        "median": float(np.median(numbers)),
        "p5": float(np.percentile(numbers, 5)),
        "min": lowest,
        "worst": worst,
        "worst_source": worst_source,
        "undefined": undefined,
    }
