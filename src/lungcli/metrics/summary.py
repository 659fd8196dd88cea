"""From the scores of cases to the numbers that are published."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lungcli.metrics import catalogue
from lungcli.metrics.bootstrap import (
    Column,
    effective_patients,
    percentile_interval,
    resample_means,
    sum_by_patient,
    wilson_interval,
)
from lungcli.metrics.catalogue import UNITS, Reach
from lungcli.metrics.overlap import LUNGS, NAN
from lungcli.metrics.scores import CaseScores, common_unit, parts_of
from lungcli.metrics.subgroups import split_by_group

FAILURE_DICE: Final = 0.9

Key = tuple[str, str]
"""Structure and score."""

_NUMBERS: Final = (
    *("mean", "ci95", "sd", "median", "p5", "p95"),
    *("min", "max", "worst", "worst_source"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Cases that are summarized together.

    Attributes:
        cases: At least one.
        num_patients: Theirs.
        columns: Score to its value in each case.
        resampled: Its mean in each resample; empty with fewer than two patients.
    """

    cases: Sequence[CaseScores]
    num_patients: int
    columns: Mapping[Key, Column]
    resampled: Mapping[Key, Column]


def summarize(
    cases: Sequence[CaseScores],
    *,
    failure_dice: float = FAILURE_DICE,
    seed: int = 0,
) -> dict[str, Any]:
    """Summarize the scores of all cases, of each source and of each subgroup.

    A score that is undefined (both masks empty) is counted as such, listed, and enters
    no mean; a lung that was missed has Dice 0 and the image diagonal as distance, and
    does.

    Args:
        cases: At least one case.
        failure_dice: A case with a lower Dice is a failure.
        seed: Of the resampling.

    Returns:
        A JSON document, described in docs/metrics.md; None stands for what is
        undefined.
    """
    names = sorted({case.source for case in cases})
    sources = [
        _whole_group([case for case in cases if case.source == name], (seed, number))
        for number, name in enumerate(names, start=1)
    ]
    # of one source, the same cases must have the same intervals
    pooled = sources[0] if len(sources) == 1 else _whole_group(cases, (seed, 0))
    described = [_describe_group(source, failure_dice) for source in sources]
    return {
        **_describe_group(pooled, failure_dice),
        "sources": dict(zip(names, described, strict=True)),
        "mean_over_sources": {
            "failure_rate": _mean_rate(described),
            **_mean_over_sources(sources, LUNGS),
            **{
                part: _mean_over_sources(
                    [source for source in sources if part in parts_of(source.cases)],
                    part,
                )
                for part in parts_of(cases)
                if part != LUNGS
            },
        },
        "subgroups": _describe_subgroups(cases, failure_dice, seed),
    }


def worst_first(cases: Sequence[CaseScores]) -> list[CaseScores]:
    """Return the cases by rising Dice; undefined ones last."""
    return sorted(cases, key=worst_first_key)


def worst_first_key(case: CaseScores) -> tuple[bool, float, str, str]:
    """Sort by rising Dice; undefined ones last."""
    return (math.isnan(case.dice), case.dice, case.source, case.case_id)


def _whole_group(cases: Sequence[CaseScores], seed: tuple[int, ...]) -> _Group:
    names = catalogue.score_names()
    keys = [(part, name) for part in parts_of(cases) for name in names]
    return _group(cases, keys, seed)


def _group(
    cases: Sequence[CaseScores], keys: Sequence[Key], seed: tuple[int, ...]
) -> _Group:
    table = np.array(
        [[_value(case, key) for key in keys] for case in cases], np.float64
    )
    patients = [(case.source, case.facts.patient_id) for case in cases]
    num_patients = len(set(patients))
    resampled: dict[Key, Column] = {}
    if num_patients > 1:
        generator = np.random.default_rng(seed)
        means = resample_means(sum_by_patient(table, patients), generator)
        resampled = dict(zip(keys, means.T, strict=True))
    return _Group(
        cases=cases,
        num_patients=num_patients,
        columns=dict(zip(keys, table.T, strict=True)),
        resampled=resampled,
    )


def _describe_group(group: _Group, failure_dice: float) -> dict[str, Any]:
    cases = group.cases
    ignored = {case.facts.name: case.ignored for case in cases if case.ignored}
    of_structure = {part: _describe_structure(group, part) for part in parts_of(cases)}
    return {
        "cases": len(cases),
        "patients": group.num_patients,
        "failure_dice": failure_dice,
        **_failure_rate(group, failure_dice),
        "failures": [
            case.facts.name for case in worst_first(cases) if case.dice < failure_dice
        ],
        **of_structure.pop(LUNGS),
        "undefined_cases": [
            f"{case.facts.name}: {part}"
            for case in cases
            for part, scores in case.scores.items()
            if math.isnan(scores["dice"])
        ],
        "missed": [
            f"{case.facts.name}: {part}" for case in cases for part in case.missed
        ],
        "swapped": [case.facts.name for case in cases if case.swapped],
        **({"ignored": ignored} if ignored else {}),
        **of_structure,
    }


def _describe_structure(group: _Group, part: str) -> dict[str, Any]:
    unit = common_unit(group.cases)
    return _in_blocks(unit, lambda name: _describe(group, (part, name)))


def _in_blocks(
    unit: str, describe: Callable[[str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return a block for each metric, of distances also one in % of the diagonal."""
    distances = catalogue.distances()
    return {
        **{metric.name: describe(metric.name) for metric in catalogue.ratios()},
        **{
            metric.name: {"unit": UNITS[unit], **describe(metric.in_unit(unit))}
            for metric in distances
        },
        **{metric.comparable: describe(metric.comparable) for metric in distances},
    }


def _describe_subgroups(
    cases: Sequence[CaseScores], failure_dice: float, seed: int
) -> dict[str, Any]:
    keys = [(LUNGS, metric.comparable) for metric in catalogue.shown_in(Reach.GROUPS)]
    return {
        column: {
            value: _describe_subgroup(_group(members, keys, (seed, 0)), failure_dice)
            for value, members in groups.items()
        }
        for column, groups in split_by_group(cases).items()
    }


def _describe_subgroup(group: _Group, failure_dice: float) -> dict[str, Any]:
    return {
        "cases": len(group.cases),
        "patients": group.num_patients,
        **_failure_rate(group, failure_dice),
        **{name: _describe(group, (part, name)) for part, name in group.columns},
    }


def _failure_rate(group: _Group, failure_dice: float) -> dict[str, Any]:
    defined = [case for case in group.cases if not math.isnan(case.dice)]
    if not defined:
        return {"failure_rate": None, "failure_rate_ci95": None}
    rate = sum(case.dice < failure_dice for case in defined) / len(defined)
    # patients, not cases: two X-rays of one patient fail together
    patients = Counter((case.source, case.facts.patient_id) for case in defined)
    interval = wilson_interval(rate, effective_patients(list(patients.values())))
    return {"failure_rate": rate, "failure_rate_ci95": interval}


def _describe(group: _Group, key: Key) -> dict[str, Any]:
    """Return the numbers of one score."""
    column = group.columns[key]
    values = column[~np.isnan(column)]
    known = sum(key[0] in case.scores for case in group.cases)
    undefined = known - len(values)
    if not values.size:
        return {**dict.fromkeys(_NUMBERS), "undefined": undefined}
    worst = min(
        (case for case in group.cases if not math.isnan(_value(case, key))),
        key=_worst_by(key),
    )
    p5, median, p95 = np.percentile(values, (5, 50, 95)).tolist()
    return {
        "mean": float(values.mean()),
        "ci95": _interval(group.resampled.get(key)),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
        "median": median,
        "p5": p5,
        "p95": p95,
        "min": float(values.min()),
        "max": float(values.max()),
        "worst": worst.case_id,
        "worst_source": worst.source,
        "undefined": undefined,
    }


def _worst_by(key: Key) -> Callable[[CaseScores], tuple[float, str, str]]:
    """Return what sorts the worst case first."""
    goodness = catalogue.metric_of(key[1]).goodness
    return lambda case: (goodness(_value(case, key)), case.source, case.case_id)


def _value(case: CaseScores, key: Key) -> float:
    part, name = key
    return case.scores.get(part, {}).get(name, NAN)  # nobody knows of it


def _mean_rate(described: Sequence[Mapping[str, Any]]) -> float | None:
    rates = [group["failure_rate"] for group in described]
    defined = [rate for rate in rates if rate is not None]
    return sum(defined) / len(defined) if defined else None


def _mean_over_sources(sources: Sequence[_Group], part: str) -> dict[str, Any]:
    """Return the mean of the sources' means: each counts the same, large or small."""
    unit = common_unit([case for source in sources for case in source.cases])
    return _in_blocks(unit, lambda name: _mean_of_means(sources, (part, name)))


def _mean_of_means(sources: Sequence[_Group], key: Key) -> dict[str, Any]:
    columns = [source.columns[key] for source in sources]
    means = [float(np.nanmean(column)) for column in columns if _is_defined(column)]
    if not means:
        return {"mean": None, "ci95": None}
    drawn = [
        source.resampled.get(key)
        for source in sources
        if _is_defined(source.columns[key])
    ]
    together = None
    if all(one is not None for one in drawn):
        together = np.mean(np.array(drawn, np.float64), axis=0)
    return {"mean": float(np.mean(means)), "ci95": _interval(together)}


def _is_defined(column: Column) -> bool:
    return not np.isnan(column).all()


def _interval(resampled: Column | None) -> list[float] | None:
    return None if resampled is None else percentile_interval(resampled)
