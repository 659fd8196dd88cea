"""Intervals: against known distributions, SciPy, and what a cluster must do to them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lungcli.metrics.bootstrap import (
    percentile_interval,
    resample_means,
    sum_by_patient,
    wilson_interval,
)


def interval_of(values, patients=None, *, seed=0, resamples=10_000):
    table = np.array(values, float).reshape(len(values), -1)
    clusters = sum_by_patient(table, patients or list(range(len(values))))
    means = resample_means(clusters, np.random.default_rng(seed), resamples)
    return percentile_interval(means[:, 0])


def width(interval):
    return interval[1] - interval[0]


def test_sums_by_patient_by_hand():
    values = np.array([[1.0, 5.0], [2.0, math.nan], [4.0, math.nan]])
    sums, counts = sum_by_patient(values, ["ann", "bob", "ann"])
    assert sums.tolist() == [[5, 5], [2, 0]]
    assert counts.tolist() == [[2, 1], [1, 0]]


def test_two_patients_by_hand():
    """Ann twice, each once, or Bob twice: 1/4, 1/2, 1/4."""
    clusters = sum_by_patient(np.array([[1.0], [0.0]]), ["ann", "bob"])
    means = resample_means(clusters, np.random.default_rng(0))[:, 0]
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0, 0.5, 1]
    assert counts / len(means) == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_cases_count_not_patients():
    """A patient with three cases has three times the weight of one with one."""
    clusters = sum_by_patient(np.array([[1.0]] * 3 + [[0.0]]), [1, 1, 1, 2])
    means = resample_means(clusters, np.random.default_rng(0))[:, 0]
    assert set(means) == {0, 0.75, 1}


def test_standard_error_is_that_of_theory():
    values = np.random.default_rng(1).normal(size=200)
    clusters = sum_by_patient(values[:, None], list(range(200)))
    means = resample_means(clusters, np.random.default_rng(0))
    assert means.mean() == pytest.approx(values.mean(), abs=0.005)
    assert means.std() == pytest.approx(values.std() / math.sqrt(200), rel=0.03)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(400):
        low, high = interval_of(generator.normal(7, 2, 50), seed=seed, resamples=1000)
        covered += low <= 7 <= high
    assert 0.92 <= covered / 400 <= 0.97  # a little under .95 with 50 patients


def test_the_interval_covers_when_patients_have_several_cases():
    """Cases resampled one by one would cover far too seldom."""
    generator = np.random.default_rng(0)
    patients = [patient for patient in range(40) for _ in range(4)]
    by_patient = by_case = 0
    for seed in range(200):
        of_patient = generator.normal(size=40)
        values = of_patient[patients] + 0.3 * generator.normal(size=160)
        low, high = interval_of(values, patients, seed=seed, resamples=1000)
        by_patient += low <= 0 <= high
        low, high = interval_of(values, seed=seed, resamples=1000)
        by_case += low <= 0 <= high
    assert by_patient / 200 > 0.9
    assert by_case / 200 < 0.75


def test_copies_of_a_case_teach_nothing():
    values = list(np.random.default_rng(2).normal(size=30))
    patients = list(range(30))
    once = interval_of(values)
    assert interval_of(values * 9, patients * 9) == pytest.approx(once)
    assert width(interval_of(values * 9)) == pytest.approx(width(once) / 3, rel=0.1)


def test_undefined_values_are_left_out():
    values = np.array([[1.0, 1.0], [3.0, math.nan], [math.nan, math.nan]])
    clusters = sum_by_patient(values, ["a", "b", "c"])
    means = resample_means(clusters, np.random.default_rng(0))
    assert set(means[~np.isnan(means[:, 1]), 1]) == {1}
    assert np.isnan(means[:, 1]).mean() == pytest.approx((2 / 3) ** 3, abs=0.02)
    assert percentile_interval(means[:, 1]) == [1, 1]


def test_nothing_defined_has_no_interval():
    assert percentile_interval(np.full(9, math.nan)) is None


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(3).normal(size=20)
    assert interval_of(values, seed=5) == interval_of(values, seed=5)
    assert interval_of(values, seed=5) != interval_of(values, seed=6)


def test_any_number_of_resamples():
    clusters = sum_by_patient(np.eye(3), [1, 2, 3])
    assert resample_means(clusters, np.random.default_rng(0), 1234).shape == (1234, 3)


def test_percentiles_by_hand():
    assert percentile_interval(np.arange(1001.0)) == [25, 975]


@given(successes=st.integers(0, 300), failures=st.integers(0, 300))
def test_wilson_agrees_with_scipy(successes, failures):
    total = successes + failures
    if not total:
        return
    expected = binomtest(successes, total).proportion_ci(method="wilson")
    low, high = wilson_interval(successes / total, total)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= successes / total <= high <= 1


def test_wilson_without_and_with_nothing_but_failures():
    assert wilson_interval(0, 100) == [0, pytest.approx(0.0370, abs=1e-4)]
    assert wilson_interval(1, 100) == [pytest.approx(0.9630, abs=1e-4), 1]
