"""Two models on the same cases: by how much they differ, and whether by chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from lungcli.metrics import catalogue
from lungcli.metrics.bootstrap import (
    RESAMPLES,
    Clusters,
    Column,
    Table,
    percentile_interval,
    resample_means,
    sum_by_patient,
)
from lungcli.metrics.catalogue import Reach
from lungcli.metrics.overlap import LUNGS, NAN
from lungcli.metrics.scores import CaseScores, common_unit, parts_of

ALL_SOURCES: Final = "all"

_ROUNDING: Final = 1 - 1e-9  # sums in another order differ in the last digits
_AT_ONCE: Final = 500  # permutations


class Pairs(NamedTuple):
    """The cases that two models have in common, in the same order.

    Attributes:
        first: Scores of the first model.
        second: Of the second.
    """

    first: tuple[CaseScores, ...]
    second: tuple[CaseScores, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One score of two models.

    Attributes:
        source: Name of the source, or `all`.
        structure: `lungs`, `right` or `left`.
        score: Its name, with unit.
        cases: For how many it is defined in both.
        mean_first: Mean of the first model over these.
        mean_second: Of the second.
        mean: Of the differences, second less first.
        ci95: Its interval, by patient; None with fewer than two.
        p: Two-sided, of the permutation test.
        p_holm: The same, corrected for all differences of one comparison.
    """

    source: str
    structure: str
    score: str
    cases: int
    mean_first: float
    mean_second: float
    mean: float
    ci95: list[float] | None
    p: float
    p_holm: float


def pair_cases(first: Sequence[CaseScores], second: Sequence[CaseScores]) -> Pairs:
    """Find the cases of one model among those of another, by source and name.

    Raises:
        ValueError: If they have none in common.
    """
    ours = {(case.source, case.case_id): case for case in first}
    theirs = {(case.source, case.case_id): case for case in second}
    common = [key for key in ours if key in theirs]
    if not common:
        msg = f"none of {len(first)} and {len(second)} cases are the same."
        raise ValueError(msg)
    return Pairs(
        first=tuple(ours[key] for key in common),
        second=tuple(theirs[key] for key in common),
    )


def compare(
    first: Sequence[CaseScores], second: Sequence[CaseScores], *, seed: int = 0
) -> list[Difference]:
    """Compare two models on the cases that both have scored.

    For each source, and for all together if there are several: Dice, surface Dice,
    HD95 and ASSD of the lungs, and the Dice of each lung. IoU would be a second test of
    Dice. A score that is not defined for any case is left out.

    Args:
        first: Scores of the first model.
        second: Of the second; cases that only one has scored are ignored.
        seed: Of resampling and permutation.

    Raises:
        ValueError: If they have no case in common.
    """
    pairs = pair_cases(first, second)
    names = sorted({case.source for case in pairs.first})
    groups = [(name, _of_source(pairs, name)) for name in names]
    if len(names) > 1:
        groups = [(ALL_SOURCES, pairs), *groups]
    found = [
        difference
        for number, (name, group) in enumerate(groups)
        for difference in _compare_group(name, group, (seed, number))
    ]
    corrected = correct_holm([difference.p for difference in found])
    return [
        replace(difference, p_holm=p_holm)
        for difference, p_holm in zip(found, corrected, strict=True)
    ]


def permutation_test(
    differences: Clusters,
    generator: np.random.Generator,
    num_permutations: int = RESAMPLES,
) -> Column:
    """Test whether paired differences scatter about 0.

    If the models were alike, either could have been called the first: the sign of a
    patient's differences is drawn at random, all cases of a patient together.

    Args:
        differences: Sums over the cases of each patient.
        generator: Of random numbers.
        num_permutations: How many times.

    Returns:
        Two-sided p-value of each score, in (0, 1]: the share of permutations, with the
        one observed among them, whose mean is as far from 0 as the observed.

    References:
        Phipson and Smyth (2010), Permutation p-values should never be zero, Stat Appl
        Genet Mol Biol 9(1), https://doi.org/10.2202/1544-6115.1585
    """
    sums = differences.sums
    observed = np.abs(sums.sum(axis=0)) * _ROUNDING
    as_far = np.zeros(sums.shape[1])
    for begin in range(0, num_permutations, _AT_ONCE):
        rows = min(_AT_ONCE, num_permutations - begin)
        signs = generator.integers(2, size=(rows, len(sums))) * 2.0 - 1.0
        as_far += (np.abs(signs @ sums) >= observed).sum(axis=0)
    return (1 + as_far) / (1 + num_permutations)


def correct_holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that the family-wise error rate holds.

    Returns:
        Corrected p-values in the order given, each at least the original.

    References:
        Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70,
        https://www.jstor.org/stable/4615733

    Examples:
        >>> correct_holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(np.minimum(values[order] * factors, 1))
    return [float(value) for value in corrected]


def _of_source(pairs: Pairs, name: str) -> Pairs:
    return Pairs(
        first=tuple(case for case in pairs.first if case.source == name),
        second=tuple(case for case in pairs.second if case.source == name),
    )


def _compare_group(
    source: str, pairs: Pairs, seed: tuple[int, int]
) -> list[Difference]:
    """Compare the cases of one source; the p-values are not corrected yet."""
    unit = common_unit(pairs.first)
    compared = catalogue.shown_in(Reach.SOURCES)
    keys = [(LUNGS, metric.in_unit(unit)) for metric in compared]
    apart = (part for part in parts_of(pairs.first) if part != LUNGS)
    keys += [(part, "dice") for part in apart if part in parts_of(pairs.second)]
    ours, theirs = _table(pairs.first, keys), _table(pairs.second, keys)
    differences = theirs - ours
    patients = [(case.source, case.facts.patient_id) for case in pairs.first]
    clusters = sum_by_patient(differences, patients)
    generator = np.random.default_rng(seed)
    resampled = resample_means(clusters, generator)
    p_values = permutation_test(clusters, generator)
    found = []
    for number, (part, name) in enumerate(keys):
        both = ~np.isnan(differences[:, number])
        if not both.any():
            continue
        interval = percentile_interval(resampled[:, number])
        found.append(
            Difference(
                source=source,
                structure=part,
                score=name,
                cases=int(both.sum()),
                mean_first=float(ours[both, number].mean()),
                mean_second=float(theirs[both, number].mean()),
                mean=float(differences[both, number].mean()),
                ci95=interval if len(clusters.sums) > 1 else None,
                p=float(p_values[number]),
                p_holm=float(p_values[number]),
            )
        )
    return found


def _table(cases: Sequence[CaseScores], keys: Sequence[tuple[str, str]]) -> Table:
    return np.array(
        [
            [case.scores.get(part, {}).get(name, NAN) for part, name in keys]
            for case in cases
        ]
    )
