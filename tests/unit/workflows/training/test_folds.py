"""Which patient is held out in which fold, and which cases train a network."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.data.prepared import open_prepared
from lungcli.errors import ConfigError, DatasetError
from lungcli.model.config import Holdout, TrainConfig
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.shared.datasets import open_all
from lungcli.workflows.training.cases import choose_cases, settings_for
from lungcli.workflows.training.folds import development_cases, draw_folds

SEEDS = st.integers(0, 2**32 - 1)
FINAL, FOLD = Holdout(final=True), Holdout(folds=3, fold=2)


@pytest.fixture(scope="module")
def dataset(prepared):
    """8 cases to train, 2 to validate, 2 to test, one patient each."""
    return open_prepared(prepared)


@pytest.fixture(scope="module")
def again(phantoms, tmp_path_factory):
    """The same source with other splits."""
    out = tmp_path_factory.mktemp("again") / "again"
    how = PrepareSettings(out=out, size=96, workers=1, val=0.17, test=0.17, seed=5)
    prepare([phantoms], settings=how)
    return open_prepared(out)


@st.composite
def patients(draw):
    """Up to three sources with up to nine patients of one to three cases."""
    counts = st.lists(st.integers(1, 3), min_size=1, max_size=9)
    return {name: draw(counts) for name in "abc"[: draw(st.integers(1, 3))]}


def cases_of(dataset, patients):
    """Return as many cases as the patients of each source have."""
    case = dataset.cases[0]
    return [
        (
            dataset,
            replace(case, source=source, patient_id=f"p{patient}", case_id=f"{n}"),
        )
        for source, counts in patients.items()
        for patient, count in enumerate(counts)
        for n in range(count)
    ]


def patient_of(case):
    return case[1].source, case[1].patient_id


@given(patients=patients(), folds=st.integers(2, 6), seed=SEEDS)
def test_whole_patients_and_balanced_sources(dataset, patients, folds, seed):
    cases = cases_of(dataset, patients)
    fold_of_patient = {}
    if folds > sum(map(len, patients.values())):
        with pytest.raises(ConfigError, match="patients: there must be at least 2"):
            draw_folds(cases, folds=folds, seed=seed)
        return
    drawn = draw_folds(cases, folds=folds, seed=seed)
    assert len(drawn) == len(cases)
    for case, fold in zip(cases, drawn, strict=True):
        assert fold_of_patient.setdefault(patient_of(case), fold) == fold
    assert set(drawn) == set(range(1, folds + 1))
    for source in (*patients, None):
        sizes = Counter(
            fold for key, fold in fold_of_patient.items() if source in (None, key[0])
        )
        each = [sizes[fold] for fold in range(1, folds + 1)]
        assert max(each) - min(each) <= 1


@given(patients=patients(), seed=SEEDS, data=st.data())
def test_the_order_of_the_cases_does_not_matter(dataset, patients, seed, data):
    cases = cases_of(dataset, {**patients, "z": [1, 1]})
    mixed = data.draw(st.permutations(range(len(cases))))
    drawn = draw_folds(cases, folds=2, seed=seed)
    again = draw_folds([cases[index] for index in mixed], folds=2, seed=seed)
    assert [drawn[index] for index in mixed] == list(again)


def test_another_seed_draws_other_folds(dataset):
    cases = cases_of(dataset, {"a": [1] * 20})
    drawn = {draw_folds(cases, folds=5, seed=seed) for seed in range(5)}
    assert len(drawn) == 5


@pytest.mark.parametrize("folds", [0, 1, 11])
def test_impossible_numbers_of_folds(dataset, folds):
    cases = development_cases([dataset])
    with pytest.raises(ConfigError, match=f"cannot make {folds} folds of 10 patients"):
        draw_folds(cases, folds=folds, seed=0)


def test_every_case_is_held_out_once_and_never_trained_on_then(dataset):
    held_out = []
    for fold in (1, 2, 3):
        holdout = Holdout(folds=3, fold=fold)
        cases = choose_cases([dataset], holdout, seed=0)
        assert len(cases.train) + len(cases.validation) == 10
        assert {case.key for _, case in cases.train}.isdisjoint(
            case.key for _, case in cases.validation
        )
        held_out += [case.key for _, case in cases.validation]
    splits = {case.key: case.split for case in dataset.cases}
    assert len(held_out) == len(set(held_out)) == 10
    assert {splits[key] for key in held_out} == {"train", "val"}


def test_a_final_training_takes_the_validation_cases_too(dataset):
    cases = choose_cases([dataset], FINAL, seed=0)
    assert (len(cases.train), len(cases.validation)) == (10, 2)
    assert set(cases.validation) < set(cases.train)
    assert "the 2 validation cases are trained on too" in cases.notes[0]
    (entry,) = cases.trained_on(settings_for(FINAL, TrainConfig()))
    assert (len(entry.cases), entry.validation) == (10, ())


def test_validation_cases_are_recorded_only_if_they_decide(dataset):
    cases = choose_cases([dataset], Holdout(), seed=0)
    (best,) = cases.trained_on(TrainConfig())
    (last,) = cases.trained_on(TrainConfig(keep="last"))
    (stopped,) = cases.trained_on(TrainConfig(keep="last", patience=3))
    assert (len(best.cases), len(best.validation)) == (8, 2)
    assert (len(last.cases), len(last.validation)) == (8, 0)
    assert stopped == best


@pytest.mark.parametrize("holdout", [FINAL, FOLD])
def test_the_last_epoch_is_kept_where_nothing_is_left_to_choose_by(holdout):
    assert settings_for(holdout, TrainConfig(epochs=3)) == TrainConfig(
        epochs=3, keep="last"
    )
    for unfit in (TrainConfig(patience=3), TrainConfig(schedule="plateau")):
        assert settings_for(Holdout(), unfit) == unfit
        with pytest.raises(ConfigError, match="leave out --patience"):
            settings_for(holdout, unfit)


def test_no_cases_for_development(dataset):
    test_only = tuple(case for case in dataset.cases if case.split == "test")
    with pytest.raises(DatasetError, match="no case with mask in the splits train"):
        development_cases([replace(dataset, cases=test_only)])


@pytest.mark.parametrize("holdout", [Holdout(), FINAL, FOLD])
def test_one_source_prepared_twice_is_refused(dataset, again, holdout):
    test = {case.key for case in dataset.cases if case.split == "test"}
    assert test & {case.key for case in again.cases if case.split == "train"}
    message = rf"12 cases are in two .* of patient .* and in {again.root}.*leave one"
    with pytest.raises(DatasetError, match=message):
        choose_cases([dataset, again], holdout, seed=0)


@pytest.mark.parametrize("holdout", [Holdout(), FINAL, FOLD])
def test_two_preparations_of_different_cases_are_welcome(dataset, again, holdout):
    """Not listed means no split: the two share nothing that trains or is scored."""
    later = {case.key for case in dataset.cases if case.split == "val"}
    first, second = (
        replace(
            prepared,
            cases=tuple(
                replace(case, split="train" if case.split == "test" else case.split)
                if (case.key in later) == wanted
                else replace(case, split="")
                for case in prepared.cases
            ),
        )
        for prepared, wanted in ((dataset, False), (dataset, True))
    )
    cases = choose_cases([first, second], holdout, seed=0)
    assert {case.key for _, case in (*cases.train, *cases.validation)} == {
        case.key for case in dataset.cases
    }


@pytest.mark.parametrize("holdout", [FINAL, FOLD])
def test_a_patient_for_development_and_test_is_refused(dataset, again, holdout):
    """Two films of each patient, prepared apart with different splits."""
    films = tuple(replace(case, case_id=f"{case.case_id}-2") for case in again.cases)
    other = replace(again, cases=films)
    message = "patients are in training or validation and in test, among them .* of"
    with pytest.raises(DatasetError, match=message):
        choose_cases([dataset, other], holdout, seed=0)


@pytest.mark.parametrize("holdout", [Holdout(), FINAL, FOLD])
def test_a_data_set_named_twice_counts_once(dataset, holdout):
    roots = [dataset.root, dataset.root / ".." / dataset.root.name]
    once, twice = (
        choose_cases(open_all(paths), holdout, seed=0) for paths in (roots[:1], roots)
    )
    assert [case.key for _, case in once.train] == [c.key for _, c in twice.train]


def test_a_final_training_without_validation_cases(dataset):
    cases = tuple(
        replace(case, split="train", case_id=f"{case.case_id}-{n}")
        for n in range(2)
        for case in dataset.cases
    )
    for count, watched in ((24, 16), (5, 5)):
        final = choose_cases([replace(dataset, cases=cases[:count])], FINAL, seed=0)
        assert (len(final.train), len(final.validation)) == (count, watched)
        assert final.validation == final.train[:watched]
        assert final.notes[0].startswith(f"no validation cases: {watched} training")


def test_a_cross_validation_as_a_whole_trains_nothing(dataset):
    with pytest.raises(ConfigError, match="hold out one of its 3 folds"):
        choose_cases([dataset], Holdout(folds=3), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "folds must be at least 2, got 1"),
        ({"folds": 2, "fold": 3}, "there is no fold 3 of 2"),
        ({"folds": True}, "folds must be a whole number"),
        ({"final": 1}, "final must be a true or false"),
    ],
)
def test_impossible_divisions(settings, message):
    with pytest.raises(ConfigError, match=message):
        Holdout(**settings)
