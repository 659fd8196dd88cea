"""Score a trained network on prepared cases, at their original resolution."""

from collections.abc import Sequence
from pathlib import Path

from lungcli.model.find import Announce, ModelFolder, find_model, quiet
from lungcli.model.runs import RUNS, RunFolder, rows_of_history
from lungcli.system.progress import Progress, silent
from lungcli.workflows.evaluating.outputs import DEFAULT_OUTPUTS, EvaluationOutputs
from lungcli.workflows.evaluating.scoring import (
    DEFAULT_SETTINGS,
    ScoreSettings,
    score_model,
)
from lungcli.workflows.evaluating.writer import Evaluation, EvaluationWriter
from lungcli.workflows.shared.datasets import Selection, data_names, select_to_score
from lungcli.workflows.shared.inference import load_model


def evaluate(
    data: Sequence[str | Path],
    model: str | Path | None = None,
    *,
    settings: ScoreSettings = DEFAULT_SETTINGS,
    outputs: EvaluationOutputs = DEFAULT_OUTPUTS,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> Evaluation:
    """Score every case of a split against its untouched reference.

    Args:
        data: Folders of prepared data sets.
        model: As `models.find_model` takes it; None is the latest run, else the
            bundled network.
        settings: How to score.
        outputs: Which files to write besides `cases.csv` and `summary.json`.
        split: `train`, `val`, `test` or `all`.
        out: Folder of the results; by default `evaluation` in the run folder (in the
            current folder for the bundled network), and for other splits than the
            test split a folder of their name in it.
        runs: Folder of all runs.
        any_convention: Whether to score across mask conventions.
        progress: Told after each case.
        announce: Told if the bundled network was taken unasked.

    Raises:
        DatasetError: If a data set is missing or the split has no cases.
        ModelError: If there is no usable model.
        ConfigError: If the tolerance is in mm and a case has no pixel size.
        OutputError: If the results cannot be written.
    """
    selection = select_to_score(data, split)
    found = find_model(model, runs=runs, announce=announce)
    return evaluate_selection(
        found,
        selection,
        folder=out or _default_folder(found.results, split),
        split=split,
        settings=settings,
        outputs=outputs,
        any_convention=any_convention,
        progress=progress,
    )


def evaluate_selection(
    found: ModelFolder,
    selection: Selection,
    *,
    folder: Path,
    split: str,
    settings: ScoreSettings,
    outputs: EvaluationOutputs,
    any_convention: bool,
    progress: Progress,
) -> Evaluation:
    """Score one network on cases that are chosen already; see `evaluate`."""
    cases = selection.cases
    lungs = load_model(found)
    lungs.check_convention(cases, any_convention=any_convention)
    with EvaluationWriter(folder, settings, outputs) as writer:
        for scored in score_model(lungs, cases, settings, progress=progress):
            writer.add(scored)
        return writer.write(
            about={"model": found.name, "split": split, "data": data_names(cases)},
            notes=(*selection.notes, *lungs.notes_on(cases)),
            history=rows_of_history(RunFolder(found.root)),
        )


def _default_folder(results: RunFolder, split: str) -> Path:
    """Keep the splits apart: none may overwrite the scores of another."""
    folder = results.evaluation
    return folder if split == "test" else folder / split
