"""From the Dice of many cases at many levels to: up to where can one rely on it?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.metrics.bootstrap import (
    percentile_interval,
    resample_means,
    sum_by_patient,
)
from lungcli.perturbations.catalogue import Perturbation

THRESHOLDS: Final = (0.95, 0.9)
FAILURE: Final = 0.9  # Dice below which a case has failed
_UNKNOWN: Final = (math.nan, math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelScores:
    """The Dice of all cases at one level; NaN where no case has a Dice.

    Attributes:
        level: Of the perturbation.
        cases: Number of cases with a Dice.
        undefined: Number of those without: no lung is left, and none was predicted.
        mean: Of the cases.
        low: Low end of the 95 % interval of the mean, by resampling patients.
        high: High end.
        p5: 5th percentile of the cases.
        failure_rate: Share of the cases below `FAILURE`.
    """

    level: float
    cases: int
    undefined: int
    mean: float
    low: float
    high: float
    p5: float
    failure_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Where the mean Dice falls below a threshold.

    Attributes:
        threshold: The Dice.
        already: Whether it is below without any perturbation.
        levels: Where it falls below, interpolated: by direction, `down` and `up` from
            the neutral level; None where it never does. A perturbation with one
            direction has one of them.
        text: The same for a person.
    """

    threshold: float
    already: bool
    levels: Mapping[str, float | None]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a network makes of one perturbation.

    Attributes:
        perturbation: The perturbation.
        levels: The scores at each of its levels.
        drops: One for each of `THRESHOLDS`.
    """

    perturbation: Perturbation
    levels: tuple[LevelScores, ...]
    drops: tuple[Drop, ...]

    @property
    def text(self) -> str:
        """One line."""
        said = (f"below {drop.threshold:g} {drop.text}" for drop in self.drops)
        return f"mean Dice {'; '.join(said)}"


def judge(
    perturbation: Perturbation,
    dice: NDArray[np.float64],
    patients: Sequence[tuple[str, str]],
    *,
    seed: int,
) -> Verdict:
    """Summarize the Dice of each case at each level.

    Args:
        perturbation: Whose levels they are.
        dice: Shape `(cases, levels)`; NaN where it is undefined.
        patients: Source and patient of each case.
        seed: Of the bootstrap.
    """
    intervals = _intervals(dice, patients, seed=seed)
    levels = tuple(
        _summarize(level, values[~np.isnan(values)], len(values), interval)
        for level, values, interval in zip(
            perturbation.levels, dice.T, intervals, strict=True
        )
    )
    means = [scores.mean for scores in levels]
    return Verdict(
        perturbation=perturbation,
        levels=levels,
        drops=tuple(find_drop(perturbation, means, limit) for limit in THRESHOLDS),
    )


def find_drop(
    perturbation: Perturbation, means: Sequence[float], threshold: float
) -> Drop:
    """Say where the mean Dice first falls below a threshold, away from neutral.

    Between two levels it is taken to fall in proportion: to the level or, where equal
    factors are equal steps, to its logarithm.

    Args:
        perturbation: With its levels.
        means: Mean Dice at each of them; NaN is passed over.
        threshold: In (0, 1).
    """
    unchanged = means[perturbation.levels.index(perturbation.neutral)]
    already = unchanged < threshold
    unknown = math.isnan(unchanged)  # no case has a lung
    points = sorted(zip(perturbation.levels, means, strict=True))
    ways = {
        "down": [
            point for point in reversed(points) if point[0] <= perturbation.neutral
        ],
        "up": [point for point in points if point[0] >= perturbation.neutral],
    }
    levels = {
        name: None if already or unknown else _crossing(perturbation, way, threshold)
        for name, way in ways.items()
        if len(way) > 1
    }
    text = "unknown: no case has a lung" if unknown else _say(perturbation, levels)
    if already:
        text = f"already as it is ({unchanged:.3f})"
    return Drop(threshold=threshold, already=already, levels=levels, text=text)


def to_documents(verdicts: Sequence[Verdict]) -> dict[str, dict[str, Any]]:
    """Return verdicts as JSON documents by the name of the perturbation."""
    return {verdict.perturbation.name: to_document(verdict) for verdict in verdicts}


def to_document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON document; None stands for what is undefined."""
    perturbation = verdict.perturbation
    return {
        "unit": perturbation.unit,
        "of": perturbation.of,
        "neutral": perturbation.neutral,
        "verdict": verdict.text,
        "drops": [
            {"dice": drop.threshold, "already": drop.already, **drop.levels}
            for drop in verdict.drops
        ],
        "levels": [
            {
                "level": scores.level,
                "cases": scores.cases,
                "undefined": scores.undefined,
                "mean": _number(scores.mean),
                "ci95": None if math.isnan(scores.low) else [scores.low, scores.high],
                "p5": _number(scores.p5),
                "failure_rate": _number(scores.failure_rate),
            }
            for scores in verdict.levels
        ],
    }


def _intervals(
    dice: NDArray[np.float64], patients: Sequence[tuple[str, str]], *, seed: int
) -> list[tuple[float, float]]:
    """Return the interval of the mean at each level; NaN for less than 2 patients."""
    if len(set(patients)) < 2:
        return [_UNKNOWN] * dice.shape[1]
    means = resample_means(sum_by_patient(dice, patients), np.random.default_rng(seed))
    limits = (percentile_interval(column) or _UNKNOWN for column in means.T)
    return [(low, high) for low, high in limits]


def _summarize(
    level: float,
    defined: NDArray[np.float64],
    cases: int,
    interval: tuple[float, float],
) -> LevelScores:
    some = bool(defined.size)
    return LevelScores(
        level=level,
        cases=defined.size,
        undefined=cases - defined.size,
        mean=float(defined.mean()) if some else math.nan,
        low=interval[0],
        high=interval[1],
        p5=float(np.percentile(defined, 5)) if some else math.nan,
        failure_rate=float((defined < FAILURE).mean()) if some else math.nan,
    )


def _crossing(
    perturbation: Perturbation,
    way: Sequence[tuple[float, float]],
    threshold: float,
) -> float | None:
    """Return the first level at which the mean is below, coming from neutral."""
    defined = [(level, mean) for level, mean in way if not math.isnan(mean)]
    for (level, mean), (worse, low) in pairwise(defined):
        if low < threshold:
            if perturbation.names:
                return worse
            share = (mean - threshold) / (mean - low)
            return _between(level, worse, share, ratio=perturbation.ratio)
    return None


def _between(low: float, high: float, share: float, *, ratio: bool) -> float:
    return low * (high / low) ** share if ratio else low + share * (high - low)


def _say(perturbation: Perturbation, levels: Mapping[str, float | None]) -> str:
    reached = [level for level in levels.values() if level is not None]
    if perturbation.names:
        return f"when {perturbation.text(reached[0])}" if reached else "never"
    ends = {
        "down": perturbation.text(min(perturbation.levels)),
        "up": perturbation.text(max(perturbation.levels)),
    }
    if len(levels) > 1 and not reached:
        return f"never within {ends['down']} to {ends['up']}"
    at = " and ".join(map(perturbation.text, reached))
    never = [f"never {way} to {ends[way]}" for way in levels if levels[way] is None]
    return ", ".join([f"at {at}"] * bool(at) + never)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
