"""How far an X-ray may go wrong before a trained network does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from lungcli._version import __version__
from lungcli.model.find import Announce, ModelFolder, find_model, quiet
from lungcli.model.runs import RUNS
from lungcli.perturbations.catalogue import Perturbation, find_perturbations
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.workflows.shared.datasets import DatasetCase, data_names, select_to_score
from lungcli.workflows.shared.inference import LungModel, load_model
from lungcli.workflows.shared.output_folder import check_output
from lungcli.workflows.stressing.result_files import Results, write_results
from lungcli.workflows.stressing.trials import (
    Dice,
    list_trials,
    run_trials,
    score_trials,
)
from lungcli.workflows.stressing.verdict import Verdict, judge, to_documents

NUM_CASES: Final = 40
FOLDER: Final = "stress"


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSettings:
    """What is tried on what.

    Attributes:
        cases: Number of cases, evenly over the sources; 0 takes all.
        only: Names of the perturbations; empty for all.
        seed: Of the choice of cases, of what is random in the perturbations, and of
            the intervals.
    """

    cases: int = NUM_CASES
    only: tuple[str, ...] = ()
    seed: int = 0


DEFAULT_SETTINGS: Final = StressSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What came of it, and where it was written.

    Attributes:
        verdicts: One a perturbation.
        summary: The JSON document.
        paths: The files.
        notes: What the user should know before trusting the scores.
    """

    verdicts: tuple[Verdict, ...]
    summary: dict[str, Any]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def stress(
    data: Sequence[Path],
    model: str | Path | None = None,
    *,
    settings: StressSettings = DEFAULT_SETTINGS,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> Stress:
    """Score cases under every perturbation at every level.

    A case is perturbed, and scored, on the grid that it was prepared to, without the
    padding: the prepared data set holds no X-ray of another size. Files are written
    when all is done.

    Args:
        data: Folders of prepared data sets.
        model: As `models.find_model` takes it; None is the latest run, else the
            bundled network.
        settings: What is tried on what.
        split: `train`, `val`, `test` or `all`.
        out: Folder of the results; by default `stress` in the run folder (in the
            current folder for the bundled network), and for other splits than the
            test split a folder of their name in it.
        runs: Folder of all runs.
        any_convention: Whether to score across mask conventions.
        progress: Told after each trial.
        announce: Told if the bundled network was taken unasked.

    Raises:
        ConfigError: If a perturbation is unknown.
        DatasetError: If a data set is missing or the split has no cases.
        ImageError: If a prepared image is broken.
        ModelError: If there is no usable model.
        OutputError: If the results cannot be written.
    """
    perturbations = find_perturbations(settings.only)
    selection = select_to_score(data, split)
    cases = choose_cases(selection.cases, settings.cases, seed=settings.seed)
    found = find_model(model, runs=runs, announce=announce)
    lungs = load_model(found)
    lungs.check_convention(cases, any_convention=any_convention)
    folder = out or _default_folder(found, split)
    check_output(folder)
    with locked(folder):  # which makes it: before the work, not after it
        results = _try_all(lungs, cases, perturbations, settings.seed, progress)
        notes = (*selection.notes, *lungs.notes_on(cases))
        summary = {
            "lungcli": __version__,
            "model": found.name,
            "split": split,
            "seed": settings.seed,
            "data": data_names(cases),
            "notes": list(notes),
            "cases": len(cases),
            "perturbations": to_documents(results.verdicts),
        }
        return Stress(
            verdicts=results.verdicts,
            summary=summary,
            paths=write_results(folder, results, summary),
            notes=notes,
        )


def choose_cases(
    cases: Sequence[DatasetCase], count: int, *, seed: int
) -> list[DatasetCase]:
    """Draw cases, as many of each source; what a small one lacks, larger ones give.

    Args:
        cases: What to draw from.
        count: Number of cases; 0 takes all.
        seed: Same seed, same cases.

    Returns:
        At most `count` cases, in their order.
    """
    if not count:
        return list(cases)
    rng = np.random.default_rng(seed)
    sources: dict[str, list[int]] = {}
    for index, (_, case) in enumerate(cases):
        sources.setdefault(case.source, []).append(index)
    chosen: list[int] = []
    by_size = sorted(sources.values(), key=len)
    for rank, indexes in enumerate(by_size):
        share = (count - len(chosen)) // (len(by_size) - rank)
        chosen.extend(rng.permutation(indexes)[:share].tolist())
    return [cases[index] for index in sorted(chosen)]


def _default_folder(found: ModelFolder, split: str) -> Path:
    folder = found.results.root / FOLDER
    return folder if split == "test" else folder / split


def _try_all(
    lungs: LungModel,
    cases: Sequence[DatasetCase],
    perturbations: Sequence[Perturbation],
    seed: int,
    progress: Progress,
) -> Results:
    tables = score_trials(lungs, cases, perturbations, seed=seed, progress=progress)
    patients = [(case.source, case.patient_id) for _, case in cases]
    verdicts = [
        judge(perturbation, table, patients, seed=seed)
        for perturbation, table in zip(perturbations, tables, strict=True)
    ]
    example = cases[_median_case(perturbations[0], tables[0])]
    trials = list_trials(perturbations)
    outcomes = run_trials(lungs, [example], trials, seed=seed)
    return Results(
        cases=tuple(case for _, case in cases),
        tables=tuple(tables),
        verdicts=tuple(verdicts),
        example=tuple(zip(trials, outcomes, strict=True)),
    )


def _median_case(perturbation: Perturbation, table: Dice) -> int:
    """Return which case is neither the easiest nor the hardest as it is."""
    unchanged = table[:, perturbation.levels.index(perturbation.neutral)]
    return int(np.argsort(unchanged, kind="stable")[len(unchanged) // 2])
