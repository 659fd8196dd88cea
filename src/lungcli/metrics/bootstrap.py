"""Intervals: of means by resampling patients, and of rates after Wilson."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 10_000
_AT_ONCE: Final = 500  # resamples: a matrix of patients that the cache can hold
_Z95: Final = 1.959963984540054  # 97.5th percentile of the normal distribution

Column = NDArray[np.float64]
Table = NDArray[np.float64]  # (rows, scores); NaN is undefined


class Clusters(NamedTuple):
    """Sums over the cases of each patient.

    Attributes:
        sums: Of the defined values, `(patients, scores)`.
        counts: How many are defined, of the same shape.
    """

    sums: Table
    counts: Table


def sum_by_patient(values: Table, patients: Sequence[tuple[str, str]]) -> Clusters:
    """Add up the cases of each patient.

    Args:
        values: `(cases, scores)`; NaN is undefined.
        patients: Whose case each row is, by source and name.

    Returns:
        One row for each patient, sorted: the same whatever the order of the cases.
    """
    numbers = {patient: number for number, patient in enumerate(sorted(set(patients)))}
    owners = np.array([numbers[patient] for patient in patients], dtype=np.intp)
    sums = np.zeros((len(numbers), values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, owners, np.nan_to_num(values))
    np.add.at(counts, owners, ~np.isnan(values))
    return Clusters(sums, counts)


def resample_means(
    clusters: Clusters, generator: np.random.Generator, num_resamples: int = RESAMPLES
) -> Table:
    """Draw whole patients with replacement, and return the mean over their cases.

    The cases of a patient resemble each other; resampling them one by one would claim
    more than is known.

    Args:
        clusters: At least one patient.
        generator: Of random numbers.
        num_resamples: How many times.

    Returns:
        `(num_resamples, scores)`; NaN where nothing drawn was defined.

    References:
        Field and Welsh (2007), Bootstrapping clustered data, J R Stat Soc B 69(3),
        https://doi.org/10.1111/j.1467-9868.2007.00593.x
    """
    means = [
        _divide(weights @ clusters.sums, weights @ clusters.counts)
        for weights in _draw_weights(len(clusters.sums), generator, num_resamples)
    ]
    return np.concatenate(means)


def percentile_interval(resampled: Column) -> list[float] | None:
    """Return the 95 % percentile interval.

    Args:
        resampled: A mean in each resample; NaN where it was undefined.

    Returns:
        Lower and upper limit; None if all are undefined.

    References:
        Efron and Tibshirani (1986), Statistical Science 1(1),
        https://doi.org/10.1214/ss/1177013815
    """
    defined = resampled[~np.isnan(resampled)]
    if not defined.size:
        return None
    low, high = np.percentile(defined, (2.5, 97.5)).tolist()
    return [low, high]


def effective_patients(num_cases: Sequence[int]) -> float:
    """Return how many patients with one case each would tell as much about a mean.

    The worst case is assumed, in which all cases of a patient agree: (Σn)² / Σn². With
    as many cases of each it is the number of patients; a patient with many more cases
    than the others weighs more, and makes the mean less certain.

    Args:
        num_cases: Of each patient; at least one patient, and one case of each.

    References:
        Kish (1965), Survey Sampling, Wiley

    Examples:
        >>> effective_patients([2, 2, 2]), effective_patients([8, 1, 1])
        (3.0, 1.5151515151515151)
    """
    return sum(num_cases) ** 2 / sum(count**2 for count in num_cases)


def wilson_interval(rate: float, count: float) -> list[float]:
    """Return the 95 % score interval of a rate.

    A bootstrap of no failures at all would claim [0, 0]; this one says how many could
    have been overlooked.

    Args:
        rate: In [0, 1].
        count: Number of independent observations, at least 1; perhaps a fraction.

    References:
        Wilson (1927), J Am Stat Assoc 22(158),
        https://doi.org/10.1080/01621459.1927.10502953

    Examples:
        >>> [round(limit, 4) for limit in wilson_interval(0, 100)]
        [0.0, 0.037]
    """
    z2 = _Z95**2
    centre = rate + z2 / (2 * count)
    reach = _Z95 * math.sqrt(rate * (1 - rate) / count + z2 / (4 * count**2))
    low, high = (limit / (1 + z2 / count) for limit in (centre - reach, centre + reach))
    # both hold exactly, but not in floating point
    return [0.0 if rate == 0 else low, 1.0 if rate == 1 else high]


def _draw_weights(
    num_patients: int, generator: np.random.Generator, num_resamples: int
) -> Iterator[Table]:
    """Yield how often each patient was drawn, `(resamples, patients)`, in parts."""
    for begin in range(0, num_resamples, _AT_ONCE):
        rows = min(_AT_ONCE, num_resamples - begin)
        drawn = generator.integers(num_patients, size=(rows, num_patients))
        drawn += np.arange(rows)[:, None] * num_patients
        counts = np.bincount(drawn.ravel(), minlength=rows * num_patients)
        yield counts.reshape(rows, num_patients).astype(np.float64)


def _divide(sums: Table, counts: Table) -> Table:
    means = np.full_like(sums, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
