"""Which case is held out in which fold of a cross-validation."""

import hashlib
from collections.abc import Sequence

from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.workflows.shared.datasets import DatasetCase, check_disjoint, check_unique

_DEVELOPMENT = ("train", "val")


def development_cases(datasets: Sequence[PreparedDataset]) -> tuple[DatasetCase, ...]:
    """Return the cases with mask that are not kept for the test.

    Raises:
        DatasetError: If there are none, or one of them or its patient is kept for the
            test too, as when one source was prepared twice.
    """
    check_unique(datasets)
    every = [(dataset, case) for dataset in datasets for case in dataset.cases]
    cases = tuple(
        (dataset, case)
        for dataset, case in every
        if case.has_mask and case.split in _DEVELOPMENT
    )
    if not cases:
        listed = ", ".join(str(dataset.root) for dataset in datasets)
        msg = (
            f"no case with mask in the splits train and val of {listed}. Run 'lungcli "
            "prepare' again with other --splits."
        )
        raise DatasetError(msg)
    check_disjoint(
        cases,
        [(dataset, case) for dataset, case in every if case.split == "test"],
        parts=("training or validation", "test"),
    )
    return cases


def draw_folds(
    cases: Sequence[DatasetCase], *, folds: int, seed: int
) -> tuple[int, ...]:
    """Draw the fold of each case, so that no patient is in two.

    The patients of each source are dealt out like cards, and each source goes on where
    the one before it stopped: in every source and in all, two folds differ by one
    patient at most. A patient's position in the pack is the hash of the name, so
    neither the order of the cases nor the version of a random generator matters.

    Args:
        cases: Cases of any sources; a patient belongs to one source.
        folds: Number of folds, at least 2.
        seed: Same seed, same folds.

    Returns:
        The fold of each case, from 1 to `folds`; none is empty.

    Raises:
        ConfigError: If there are fewer than 2 folds, or more than patients.
    """
    patients = {(case.source, case.patient_id) for _, case in cases}
    if not 2 <= folds <= len(patients):
        msg = (
            f"cannot make {folds} folds of {len(patients)} patients: there must be at "
            "least 2 folds, and a patient for each. Choose another --folds."
        )
        raise ConfigError(msg)
    pack = sorted(patients, key=lambda patient: (patient[0], _lot(seed, patient)))
    fold_of = {patient: position % folds + 1 for position, patient in enumerate(pack)}
    return tuple(fold_of[case.source, case.patient_id] for _, case in cases)


def _lot(seed: int, patient: tuple[str, str]) -> str:
    # "folds": the hash of seed and name alone has already drawn the splits
    text = "/".join(("folds", str(seed), *patient))
    return hashlib.sha256(text.encode()).hexdigest()
