"""Two models compared: by hand, against exact enumeration, and under the null."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.metrics.bootstrap import sum_by_patient
from lungcli.metrics.catalogue import score_names
from lungcli.metrics.comparison import (
    compare,
    correct_holm,
    permutation_test,
)
from lungcli.metrics.scores import CaseFacts, CaseScores

PARTS = ("lungs", "right", "left")


def case(name, dice, *, source="jsrt", patient=None, spacing_mm=None, left=None):
    facts = CaseFacts(
        source=source,
        case_id=name,
        patient_id=patient or name,
        height=6,
        width=8,
        spacing_mm=spacing_mm,
        groups={},
    )
    values = dict.fromkeys(score_names(), 0.5) | {"dice": dice}
    scores = dict.fromkeys(PARTS, values)
    if left is not None:
        scores["left"] = values | {"dice": left}
    return CaseScores(facts=facts, scores=scores)


def find(differences, score="dice", structure="lungs", source="jsrt"):
    (found,) = (
        each
        for each in differences
        if (each.source, each.structure, each.score) == (source, structure, score)
    )
    return found


def p_value(values, patients=None, *, seed=0):
    patients = list(range(len(values))) if patients is None else patients
    clusters = sum_by_patient(np.array(values, float)[:, None], patients)
    return float(permutation_test(clusters, np.random.default_rng(seed))[0])


def exact_p_value(values, patients):
    """Flip the signs of whole patients in every possible way."""
    names = sorted(set(patients))
    observed = abs(sum(values))
    as_far = [
        abs(
            sum(
                value * signs[names.index(patient)]
                for value, patient in zip(values, patients, strict=True)
            )
        )
        >= observed - 1e-12
        for signs in itertools.product((-1, 1), repeat=len(names))
    ]
    return sum(as_far) / len(as_far)


def test_by_hand():
    first = [case("a", 0.5), case("b", 0.7), case("c", 0.9)]
    second = [case("a", 0.8), case("b", 0.8), case("c", 0.8)]
    dice = find(compare(first, second))
    assert dice.cases == 3
    assert (dice.mean_first, dice.mean_second) == pytest.approx((0.7, 0.8))
    assert dice.mean == pytest.approx(0.1)
    assert dice.ci95 == pytest.approx([-0.1, 0.3])
    # signs of .3 .1 -.1: all 8 sums are at least .1 from 0, six at least .3
    assert dice.p == pytest.approx(6 / 8, abs=0.02)


def test_what_is_compared():
    rows = compare([case("a", 0.5), case("b", 0.6)], [case("a", 0.7), case("b", 0.9)])
    assert [(row.structure, row.score) for row in rows] == [
        ("lungs", "dice"),
        ("lungs", "nsd"),
        ("lungs", "hd95_px"),
        ("lungs", "assd_px"),
        ("right", "dice"),
        ("left", "dice"),
    ]
    assert {row.source for row in rows} == {"jsrt"}


def test_several_sources_are_compared_together_too():
    first = [case("a", 0.5), case("b", 0.5), case("c", 0.5, source="xray")]
    second = [case("a", 0.6), case("b", 0.6), case("c", 0.9, source="xray")]
    rows = compare(first, second)
    assert list(dict.fromkeys(row.source for row in rows)) == ["all", "jsrt", "xray"]
    assert find(rows, source="all").mean == pytest.approx(0.2)
    assert find(rows, source="xray").ci95 is None  # of one patient
    assert find(rows, source="xray").p == 1


def test_cases_are_paired_by_name_not_by_place():
    first = [case("a", 0.1), case("b", 0.9)]
    second = [case("b", 0.9), case("a", 0.1)]
    dice = find(compare(first, second))
    assert (dice.mean, dice.p, dice.ci95) == (0, 1, [0, 0])


def test_cases_of_only_one_model_are_ignored():
    first = [case("a", 0.5), case("b", 0.5)]
    second = [case("b", 0.7), case("c", 0.1)]
    assert find(compare(first, second)).cases == 1


def test_the_same_name_in_another_source_is_another_case():
    with pytest.raises(ValueError, match="none of 1 and 1 cases are the same"):
        compare([case("a", 0.5)], [case("a", 0.5, source="other")])


def test_undefined_in_either_is_no_pair():
    first = [case("a", 0.5, left=math.nan), case("b", 0.5, left=0.4)]
    second = [case("a", 0.5, left=0.8), case("b", 0.5, left=0.6)]
    left = find(compare(first, second), structure="left")
    assert left.cases == 1
    assert (left.mean_first, left.mean_second) == pytest.approx((0.4, 0.6))


def test_a_score_that_no_case_has_is_left_out():
    one = [case("a", 0.5, left=math.nan)]
    rows = compare(one, one)
    assert {row.structure for row in rows} == {"lungs", "right"}


def test_millimetres_where_every_pixel_size_is_known():
    one = [case("a", 0.5, spacing_mm=(1, 1)), case("b", 0.5, source="other")]
    rows = compare(one, one)
    distances = {row.source: row.score for row in rows if row.score.startswith("hd95")}
    assert distances == {"all": "hd95_percent", "jsrt": "hd95_mm", "other": "hd95_px"}


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_exact_enumeration(seed):
    generator = np.random.default_rng(seed)
    values = list(generator.normal(0.4, 1, 12).round(3))
    patients = [int(number) for number in generator.integers(0, 9, 12)]
    expected = exact_p_value(values, patients)
    error = 4 * math.sqrt(expected * (1 - expected) / 10_000) + 1e-4
    assert p_value(values, patients) == pytest.approx(expected, abs=error)


def test_the_smallest_p_value_is_never_zero():
    assert p_value([1.0] * 60) == 1 / 10_001


def test_no_difference_is_no_evidence():
    assert p_value([0.0] * 9) == 1


def test_copies_of_a_case_are_no_evidence():
    values = [0.3, 0.1, -0.1]
    copied = p_value(values * 20, [0, 1, 2] * 20)
    assert copied == pytest.approx(p_value(values), abs=0.02)
    assert p_value(values * 20) < 0.001  # as if they were sixty patients


def test_false_alarms_are_as_rare_as_promised():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(30, 400))  # 400 comparisons of equal models
    clusters = sum_by_patient(table, list(range(30)))
    p_values = permutation_test(clusters, generator, 2000)
    assert 0.02 <= np.mean(p_values < 0.05) <= 0.08


def test_holm_by_hand():
    """Multiplied by 4, 3, 2, 1 in rising order, and never falling."""
    found = correct_holm([0.04, 0.01, 0.03, 0.5])
    assert found == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert correct_holm([0.6, 0.7]) == [1, 1]
    assert correct_holm([]) == []


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_definition_rejects(p_values):
    """Holm's own procedure: step down until the first that is not rejected."""
    corrected = correct_holm(p_values)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for step, index in enumerate(order):
            if p_values[index] * (len(p_values) - step) > alpha:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(corrected) if p <= alpha} == rejected
    assert all(p <= q <= 1 for p, q in zip(p_values, corrected, strict=True))


def test_holm_is_over_all_sources_and_scores():
    generator = np.random.default_rng(1)
    cases = [
        [
            case(str(number), float(generator.random()), source=source)
            for source in ("jsrt", "xray")
            for number in range(20)
        ]
        for _ in range(2)
    ]
    rows = compare(*cases)
    assert len(rows) == 18
    assert [row.p_holm for row in rows] == correct_holm([row.p for row in rows])


def test_the_same_seed_gives_the_same_answer():
    first = [case(str(number), number / 20) for number in range(20)]
    second = [case(str(number), (number * 7 % 20) / 20) for number in range(20)]
    assert compare(first, second) == compare(first, second)
    other = find(compare(first, second, seed=1))
    assert other.ci95 != find(compare(first, second)).ci95
