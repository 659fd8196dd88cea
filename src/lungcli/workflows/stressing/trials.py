"""X-rays made worse in every way and at every level, through a trained network."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.data.geometry import Geometry, content_of
from lungcli.data.prepared import PreparedCase
from lungcli.metrics.overlap import LUNGS, dice, overlap_by_lung
from lungcli.perturbations.catalogue import Perturbation
from lungcli.perturbations.sample import Sample
from lungcli.system.cores import num_cores
from lungcli.system.progress import Progress, silent
from lungcli.system.threads import in_order
from lungcli.workflows.shared.datasets import DatasetCase
from lungcli.workflows.shared.inference import LungModel

Dice = NDArray[np.float64]  # (cases, levels); NaN is undefined


class Trial(NamedTuple):
    """A perturbation at one of its levels."""

    perturbation: Perturbation
    level: float


class Outcome(NamedTuple):
    """What a network makes of a perturbed case."""

    sample: Sample
    predicted: LabelMap

    @property
    def dice(self) -> float:
        """Dice of the lungs together, in [0, 1]; NaN without any lung."""
        return dice(overlap_by_lung(self.sample.labels, self.predicted)[LUNGS])


class _Posed(NamedTuple):
    case: PreparedCase
    sample: Sample
    trial: Trial


class _Fitted(NamedTuple):
    sample: Sample
    square: Gray
    geometry: Geometry


def score_trials(
    lungs: LungModel,
    cases: Sequence[DatasetCase],
    perturbations: Sequence[Perturbation],
    *,
    seed: int,
    progress: Progress = silent,
) -> list[Dice]:
    """Return the Dice of every case at every level, a table for each perturbation.

    Args:
        lungs: The network.
        cases: Cases with mask.
        perturbations: At least one.
        seed: Of what is random in them.
        progress: Told after each trial.

    Raises:
        ImageError: If a prepared image is broken.
    """
    trials = list_trials(perturbations)
    total = len(cases) * len(trials)
    scores = np.full(total, np.nan)
    progress("stress", 0, total)
    for index, outcome in enumerate(run_trials(lungs, cases, trials, seed=seed)):
        scores[index] = outcome.dice
        progress("stress", index + 1, total)
    table = scores.reshape(len(cases), len(trials))
    return [table[:, columns] for columns in find_columns(perturbations, trials)]


def list_trials(perturbations: Sequence[Perturbation]) -> list[Trial]:
    """Return all trials; the neutral levels are one picture, and tried once, first."""
    unchanged = Trial(perturbations[0], perturbations[0].neutral)
    return [
        unchanged,
        *(
            Trial(perturbation, level)
            for perturbation in perturbations
            for level in perturbation.levels
            if level != perturbation.neutral
        ),
    ]


def find_columns(
    perturbations: Sequence[Perturbation], trials: Sequence[Trial]
) -> list[list[int]]:
    """Return for each perturbation which trials are its levels."""
    places = {(t.perturbation.name, t.level): n for n, t in enumerate(trials)}
    return [
        [0 if lvl == p.neutral else places[p.name, lvl] for lvl in p.levels]
        for p in perturbations
    ]


def run_trials(
    lungs: LungModel,
    cases: Sequence[DatasetCase],
    trials: Sequence[Trial],
    *,
    seed: int,
) -> Iterator[Outcome]:
    """Yield what comes of each case in each trial, all trials of a case in a row.

    Threads perturb and label while the network looks at a batch; the outcome does not
    depend on how many they are.

    Args:
        lungs: The network.
        cases: Cases with mask.
        trials: What is done to each.
        seed: Of what is random in it.

    Raises:
        ImageError: If a prepared image is broken.
    """

    def perturb(posed: _Posed) -> _Fitted:
        (perturbation, level), case = posed.trial, posed.case
        draws = draws_of(case, perturbation, seed=seed)
        sample = perturbation.apply(posed.sample, level, draws)
        return _Fitted(sample, *lungs.to_square(sample.image))

    def label(inferred: tuple[_Fitted, Probabilities]) -> Outcome:
        fitted, probabilities = inferred
        cleaned = lungs.clean(probabilities)
        return Outcome(fitted.sample, lungs.restore(cleaned, fitted.geometry))

    fitted = in_order(perturb, _pose(cases, trials), num_cores())
    yield from in_order(label, _infer(lungs, fitted), num_cores())


def draws_of(case: PreparedCase, perturbation: Perturbation, *, seed: int) -> Generator:
    """Return the random numbers of a perturbation of a case, the same at each level.

    The levels share a direction, a pattern of noise or a place, so that along a curve
    nothing changes but the strength.
    """
    name = f"{case.source}/{case.case_id}/{perturbation.name}"
    return np.random.default_rng([seed, *name.encode()])


def _pose(cases: Sequence[DatasetCase], trials: Sequence[Trial]) -> Iterator[_Posed]:
    for dataset, case in cases:
        sample = Sample(
            content_of(dataset.read_image(case), case.geometry),
            content_of(dataset.read_mask(case), case.geometry),
        )
        for trial in trials:
            yield _Posed(case, sample, trial)


def _infer(
    lungs: LungModel, fitted: Iterator[_Fitted]
) -> Iterator[tuple[_Fitted, Probabilities]]:
    for batch in _batches(fitted, lungs.predictor.batch_size):
        squares = np.stack([one.square for one in batch])
        yield from zip(
            batch, lungs.predictor.probabilities(squares[..., None]), strict=True
        )


def _batches(items: Iterator[_Fitted], size: int) -> Iterator[list[_Fitted]]:
    while batch := list(islice(items, size)):
        yield batch
