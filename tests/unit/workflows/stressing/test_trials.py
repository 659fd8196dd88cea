"""Cases through perturbations and a stand-in for the network."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lungcli.anatomy import HEART, IGNORE
from lungcli.arrays import LEFT, RIGHT
from lungcli.data.geometry import fit_square, to_square
from lungcli.data.prepared import open_prepared
from lungcli.perturbations.catalogue import PERTURBATIONS, find_perturbations
from lungcli.perturbations.sample import Sample
from lungcli.workflows.shared.inference import LungModel
from lungcli.workflows.stressing import trials as stress_trials
from lungcli.workflows.stressing.stress import choose_cases
from lungcli.workflows.stressing.trials import (
    Outcome,
    draws_of,
    find_columns,
    list_trials,
    run_trials,
    score_trials,
)

GRAY = {RIGHT: 60, LEFT: 90, 0: 200}
GEOMETRY = fit_square(300, 240, 128)


class Seer:
    """Takes the gray values of lungs for lungs: right wherever nothing hides them."""

    batch_size = 8
    info = SimpleNamespace(
        network=SimpleNamespace(size=96, labels=(RIGHT, LEFT)), threshold=0.5
    )

    def __init__(self):
        self.seen = 0

    def probabilities(self, images):
        self.seen += len(images)
        lungs = [np.abs(images.astype(float) - GRAY[lung]) < 15 for lung in (1, 2)]
        return np.concatenate(lungs, axis=-1).astype(np.float32)


class Drawn:
    """A data set of one X-ray, two ellipses."""

    def __init__(self):
        rows, columns = np.indices((300, 240))
        labels = np.zeros((300, 240), np.uint8)
        for lung, centre in ((RIGHT, 70), (LEFT, 170)):
            inside = ((rows - 140) / 80) ** 2 + ((columns - centre) / 35) ** 2 < 1
            labels[inside] = lung
        self.labels = to_square(labels * 100, GEOMETRY)
        self.labels = np.rint(self.labels / 100).astype(np.uint8)

    def read_mask(self, case):
        return self.labels

    def read_image(self, case):
        gray = np.array([GRAY[0], GRAY[RIGHT], GRAY[LEFT]], np.uint8)[self.labels]
        return np.where(to_square(np.ones((300, 240), np.uint8), GEOMETRY), gray, 0)


def one_case(number=1):
    return SimpleNamespace(
        source="drawn", case_id=f"c{number}", patient_id="p", geometry=GEOMETRY
    )


@pytest.fixture
def lungs():
    return LungModel("seer", Seer())


@pytest.fixture
def cases():
    dataset = Drawn()
    return [(dataset, one_case(number)) for number in range(3)]


@pytest.mark.parametrize("name", ["rotation", "scale", "shift", "collimation"], ids=str)
def test_the_reference_follows_the_image(lungs, cases, name):
    """Who sees lungs wherever they are, scores as well as on the original."""
    perturbation = replace(
        find_perturbations([name])[0],
        levels={
            "rotation": (-60, 0, 30),
            "scale": (0.5, 1, 2),
            "shift": (0, 10, 40),
            "collimation": (0, 10, 20),
        }[name],
    )
    (table,) = score_trials(lungs, cases[:1], [perturbation], seed=0)
    assert (table > 0.94).all(), table


def test_what_is_hidden_is_missed(lungs, cases):
    (table,) = score_trials(lungs, cases, find_perturbations(["occlusion"]), seed=0)
    assert (np.diff(table, axis=1) <= 0.02).all()
    assert table[:, 0] == pytest.approx(0.98, abs=0.02)
    assert (table[:, -1] < 0.75).all()  # one of two lungs: Dice 2/3


def test_neutral_is_looked_at_once(lungs, cases):
    tables = score_trials(lungs, cases, PERTURBATIONS, seed=0)
    trials = sum(len(p.levels) - 1 for p in PERTURBATIONS) + 1
    assert lungs.predictor.seen == len(cases) * trials
    unchanged = {
        table[case, p.levels.index(p.neutral)]
        for p, table in zip(PERTURBATIONS, tables, strict=True)
        for case in range(len(cases))
    }
    assert len(unchanged) == 1
    assert [table.shape[1] for table in tables] == [
        len(p.levels) for p in PERTURBATIONS
    ]


def test_columns_are_the_levels():
    perturbations = find_perturbations(["rotation", "jpeg"])
    trials = list_trials(perturbations)
    for perturbation, columns in zip(
        perturbations, find_columns(perturbations, trials), strict=True
    ):
        for level, column in zip(perturbation.levels, columns, strict=True):
            neutral = level == perturbation.neutral
            assert trials[column].level == (0 if neutral else level)


def test_the_number_of_threads_changes_nothing(lungs, cases, monkeypatch):
    tables = []
    for number in (1, 5):
        monkeypatch.setattr(stress_trials, "num_cores", lambda n=number: n)
        tables.append(score_trials(lungs, cases, PERTURBATIONS, seed=1))
    for one, two in zip(*tables, strict=True):
        np.testing.assert_array_equal(one, two)


def test_levels_share_their_draws_and_cases_do_not(lungs, cases):
    noise = find_perturbations(["noise"])[0]
    one, two = one_case(1), one_case(2)
    same = [draws_of(one, noise, seed=0).random() for _ in range(2)]
    assert same[0] == same[1]
    others = [
        draws_of(two, noise, seed=0).random(),
        draws_of(one, noise, seed=1).random(),
        draws_of(one, find_perturbations(["shift"])[0], seed=0).random(),
    ]
    assert len({same[0], *others}) == 4


def test_progress_ends_at_the_number_of_trials(lungs, cases):
    told = []
    score_trials(
        lungs,
        cases,
        find_perturbations(["inversion"]),
        seed=0,
        progress=lambda *report: told.append(report),
    )
    assert told == [("stress", done, 6) for done in range(7)]


def test_outcomes_are_on_the_grid_of_the_content(lungs, cases):
    trials = list_trials(find_perturbations(["rotation"]))
    outcomes = list(run_trials(lungs, cases[:1], trials, seed=0))
    shape = (GEOMETRY.content_height, GEOMETRY.content_width)
    assert {o.predicted.shape for o in outcomes} == {shape}
    assert {o.sample.image.shape for o in outcomes} == {shape}


class TestChoice:
    @pytest.fixture
    def many(self, prepared):
        dataset = open_prepared(prepared)
        case = dataset.cases[0]
        return [
            (dataset, replace(case, source=source, case_id=f"{source}{number}"))
            for source, count in (("large", 30), ("small", 3), ("middle", 12))
            for number in range(count)
        ]

    def test_as_many_of_each_source_as_there_are(self, many):
        chosen = choose_cases(many, 21, seed=0)
        counts = Counter(case.source for _, case in chosen)
        assert counts == {"small": 3, "middle": 9, "large": 9}

    def test_in_order_and_by_the_seed(self, many):
        names = [
            [case.case_id for _, case in choose_cases(many, 10, seed=seed)]
            for seed in (0, 0, 1)
        ]
        order = [case.case_id for _, case in many]
        assert names[0] == names[1] != names[2]
        assert names[0] == sorted(names[0], key=order.index)

    def test_all_of_them(self, many):
        assert choose_cases(many, 0, seed=0) == many
        assert choose_cases(many, 99, seed=0) == many


def test_neither_a_heart_nor_what_nobody_knows_is_lung():
    reference = np.array([[RIGHT, HEART.label, LEFT, IGNORE]], np.uint8)
    predicted = np.array([[RIGHT, 0, LEFT, LEFT]], np.uint8)
    sample = Sample(np.zeros_like(reference), reference)
    assert Outcome(sample, predicted).dice == 1
