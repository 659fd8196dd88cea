"""Masks of X-rays that a network never saw, with their true Dice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from quality_stress import STRESSES

from lungcli.arrays import Gray, LabelMap, is_lung
from lungcli.checks.lung_shape import Cells
from lungcli.checks.quality_features import SmallView, has_lung, shape_of, shrink
from lungcli.data.geometry import resize_labels, resize_square
from lungcli.errors import DatasetError
from lungcli.masks.labels import threshold_labels
from lungcli.metrics.overlap import dice, overlap
from lungcli.model.find import find_model
from lungcli.model.runs import find_run, read_config
from lungcli.system.progress import Progress, silent
from lungcli.workflows.cross_validating.cross_validation import open_cross_validation
from lungcli.workflows.shared.datasets import DatasetCase, full_name, open_all, select
from lungcli.workflows.shared.inference import LungModel, load_model, new_pool
from lungcli.workflows.training.folds import development_cases, draw_folds

AS_IT_IS: Final = "as it is"
_CASES_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One mask, and what it is worth.

    Attributes:
        case: `source/case_id`.
        patient: Source and patient.
        stress: What was done to the X-ray, or `AS_IT_IS`.
        view: What the score may look at.
        reference: Shape of the whole lungs, without stress.
        dice: Of both lungs against the reference, on the network's square.
    """

    case: str
    patient: tuple[str, str]
    stress: str
    view: SmallView
    reference: Cells
    dice: float


@dataclass(frozen=True, slots=True)
class _Square:
    """An X-ray to be labelled, on the network's square."""

    case: DatasetCase
    stress: str
    image: Gray
    labels: LabelMap
    reference: Cells


def collect(run: Path, *, stressed: int, progress: Progress = silent) -> list[Sample]:
    """Label the X-rays that the networks of a run never saw, and harder versions.

    Args:
        run: A cross-validation, whose every case was held out once, or one training,
            whose validation cases were.
        stressed: Harder versions of each X-ray, at most one of a kind.
        progress: Told after each batch.

    Returns:
        Those masks that are not empty and whose reference is not.

    Raises:
        DatasetError: If a network has seen a case after all, or data are gone.
        ModelError: If a network cannot be used.
    """
    held_out = unseen(run)
    total = sum(len(cases) for _, cases in held_out)
    samples: list[Sample] = []
    done = 0
    for folder, cases in held_out:
        model = load_model(find_model(folder))
        _check_unseen(model, cases)
        with new_pool() as pool:
            for start in range(0, len(cases), _CASES_AT_ONCE):
                batch = cases[start : start + _CASES_AT_ONCE]
                samples += _label(model, batch, stressed, pool)
                done += len(batch)
                progress(str(run), done, total)
    return samples


def unseen(run: Path) -> list[tuple[Path, Sequence[DatasetCase]]]:
    """Return each network's folder with the cases that it was not trained on."""
    plan = open_cross_validation(run)
    if plan is None:
        _, paths, _ = read_config(find_run(run))
        return [(run, select(open_all(paths), "val").cases)]
    cases = development_cases(plan.datasets)
    fold_of = draw_folds(cases, folds=plan.folds, seed=plan.config.seed)
    return [
        (
            plan.run.fold(number).root,
            [case for case, fold in zip(cases, fold_of, strict=True) if fold == number],
        )
        for number in range(1, plan.folds + 1)
    ]


def _check_unseen(model: LungModel, cases: Sequence[DatasetCase]) -> None:
    seen = model.predictor.info.cases_trained_on
    known = [full_name(case) for _, case in cases if full_name(case) in seen]
    if known:
        msg = (
            f"{model.name} was trained on {len(known)} of {len(cases)} cases, among "
            f"them {known[0]}: their scores teach nothing. Name a cross-validation, or "
            "a run whose validation cases took no part."
        )
        raise DatasetError(msg)


def _label(
    model: LungModel, cases: Sequence[DatasetCase], stressed: int, pool: Executor
) -> list[Sample]:
    draw = partial(_draw, size=model.size, stressed=stressed)
    squares = [square for drawn in pool.map(draw, cases) for square in drawn]
    images = np.stack([square.image for square in squares])[..., None]
    probabilities = model.predictor.probabilities(images)
    samples = pool.map(partial(_score, model), squares, probabilities)
    return [sample for sample in samples if _can_teach(sample)]


def _draw(owned: DatasetCase, *, size: int, stressed: int) -> list[_Square]:
    return list(_versions(owned, size, stressed))


def _versions(owned: DatasetCase, size: int, stressed: int) -> Iterator[_Square]:
    dataset, case = owned
    image = resize_square(dataset.read_image(case), size)
    labels = resize_labels(dataset.read_mask(case), size)
    reference = shape_of(labels)
    yield _Square(owned, AS_IT_IS, image, labels, reference)
    # by its name: the same versions whatever other cases there are
    rng = np.random.default_rng(list(full_name(case).encode()))
    for index in rng.choice(len(STRESSES), stressed, replace=False):
        stress = STRESSES[index]
        harder = stress(image, labels, rng)
        yield _Square(owned, stress.__name__, *harder, reference)


def _can_teach(sample: Sample) -> bool:
    """Tell whether there is a Dice to predict; an empty mask is scored 0 unseen."""
    return has_lung(sample.view) and bool(np.isfinite(sample.dice))


def _score(model: LungModel, square: _Square, probabilities: np.ndarray) -> Sample:
    cleaned = model.clean(probabilities)
    labels = threshold_labels(
        cleaned, threshold=model.threshold, channels=model.channels
    )
    _, case = square.case
    return Sample(
        case=full_name(case),
        patient=(case.source, case.patient_id),
        stress=square.stress,
        view=shrink(square.image, probabilities, labels),
        reference=square.reference,
        dice=dice(overlap(is_lung(square.labels), is_lung(labels))),
    )
