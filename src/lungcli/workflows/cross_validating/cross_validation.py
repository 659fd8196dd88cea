"""Train a network for each fold, and score every case by the one that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lungcli.arrays import LabelMap
from lungcli.data.prepared import PreparedCase, PreparedDataset
from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import Holdout, TrainConfig
from lungcli.model.find import find_model
from lungcli.model.info import MODEL_JSON, WEIGHTS
from lungcli.model.onnx_predictor import has_current_onnx
from lungcli.model.runs import (
    RunFolder,
    find_run,
    new_run_folder,
    read_config,
    write_config,
)
from lungcli.nn.distribution import join_processes
from lungcli.nn.state import load_state
from lungcli.pictures.film import write_png
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.workflows.evaluating.outputs import DEFAULT_OUTPUTS
from lungcli.workflows.evaluating.scoring import DEFAULT_SETTINGS, score_model
from lungcli.workflows.evaluating.writer import Evaluation, EvaluationWriter
from lungcli.workflows.shared.datasets import data_names, one_convention, open_all
from lungcli.workflows.shared.inference import LungModel, load_model
from lungcli.workflows.training.cases import TrainingCases, choose_cases, settings_for
from lungcli.workflows.training.events import TrainEvents
from lungcli.workflows.training.folds import development_cases, draw_folds
from lungcli.workflows.training.train import begin, check_new, resume

OUT_OF_FOLD = "out-of-fold"  # stands where an evaluation names its split


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """A training for each fold.

    Attributes:
        run: Folder of all of them.
        config: Their settings.
        datasets: Prepared data sets.
        folds: How many.
        interrupted: Whether somebody asked it to stop.
    """

    run: RunFolder
    config: TrainConfig
    datasets: tuple[PreparedDataset, ...]
    folds: int
    interrupted: bool = False


def cross_validate(
    data: Sequence[Path],
    config: TrainConfig,
    *,
    folds: int,
    run: Path | None = None,
    any_convention: bool = False,
    events: TrainEvents | None = None,
) -> CrossValidation:
    """Train a network for each fold of the cases for development.

    Each learns from the other folds, and its weights of the last epoch are kept: the
    fold that is held out chooses nothing.

    Args:
        data: Folders of prepared data sets; their test cases are left alone.
        config: Settings; the seed draws the folds too.
        folds: How many, at least 2.
        run: Folder of all runs of the cross-validation; by default one in `runs`.
        any_convention: Whether masks with and without heart may be mixed.
        events: Told by each training.

    Returns:
        What `score_out_of_fold` and `go_on` take.

    Raises:
        DatasetError: If a data set is missing, has no cases for development, or
            another mask convention than the others.
        ConfigError: If the folder exists already, a setting is impossible, or there
            are more folds than patients.
        OutputError: If the folder cannot be written.
    """
    datasets = open_all(data)
    one_convention(datasets, any_convention=any_convention)
    holdout = Holdout(folds=folds)
    config = settings_for(holdout, config)
    draw_folds(development_cases(datasets), folds=folds, seed=config.seed)
    folder = RunFolder(run) if run else new_run_folder(f"{datasets[0].name}-folds")
    check_new(folder)
    write_config(
        folder,
        settings=config.to_dict(),
        data={dataset.root: dataset.name for dataset in datasets},
        holdout=holdout,
    )
    return go_on(
        CrossValidation(run=folder, config=config, datasets=datasets, folds=folds),
        events=events,
    )


def open_cross_validation(run: Path | None) -> CrossValidation | None:
    """Open the folder of a cross-validation; None if it is that of another run.

    Args:
        run: The folder; None is the latest run, which is never one.

    Raises:
        ModelError: If there is no such folder, or it is damaged.
        DatasetError: If a data set is gone.
    """
    folder = find_run(run)
    settings, paths, holdout = read_config(folder)
    if not holdout.folds or holdout.fold:
        return None
    return CrossValidation(
        run=folder,
        config=TrainConfig.from_dict(settings, where=str(folder.config)),
        datasets=open_all(paths),
        folds=holdout.folds,
    )


def go_on(
    plan: CrossValidation, *, events: TrainEvents | None = None
) -> CrossValidation:
    """Train the folds that are not trained yet; a half one goes on from its state.

    Raises:
        ConfigError: If this process trains together with others.
        ModelError: If the state of a fold is broken.
        DatasetError: If the images or splits have changed since the beginning.
    """
    if join_processes().count > 1:
        msg = "--folds trains on one machine. Start each cross-validation on its own."
        raise ConfigError(msg)
    with locked(plan.run.root, option="--run"):
        for number in range(1, plan.folds + 1):
            folder = plan.run.fold(number)
            if _is_finished(folder, plan.config.epochs):
                continue
            if (folder.root / MODEL_JSON).is_file():
                result = resume(folder.root, events=events)
            else:
                cases = _choose_fold(plan, number)
                result = begin(folder, plan.config, cases, runs=None, events=events)
            if result.interrupted:
                return replace(plan, interrupted=True)
    return plan


def score_out_of_fold(
    plan: CrossValidation, *, progress: Progress = silent
) -> Evaluation:
    """Score each case by the network that was not trained on it, as one evaluation.

    Writes what `evaluate` writes, with a column `fold`, and each predicted label map.

    Args:
        plan: A cross-validation whose folds are all trained.
        progress: Told after each case.

    Raises:
        ModelError: If a fold is not trained.
        DatasetError: If the images or splits have changed since the beginning.
        OutputError: If the results cannot be written.
    """
    cases = development_cases(plan.datasets)
    fold_of = draw_folds(cases, folds=plan.folds, seed=plan.config.seed)
    folder = plan.run.evaluation
    done = 0
    with EvaluationWriter(folder, DEFAULT_SETTINGS, DEFAULT_OUTPUTS) as writer:
        for number in range(1, plan.folds + 1):
            own = [c for c, fold in zip(cases, fold_of, strict=True) if fold == number]
            found = score_model(
                _load_fold(plan, number),
                own,
                DEFAULT_SETTINGS,
                keep=partial(_write_labels, folder / "masks"),
                progress=partial(_count_on, progress, done, len(cases)),
            )
            for scored in found:
                writer.add(scored, columns={"fold": number})
            done += len(own)
        return writer.write(
            about={
                "model": str(plan.run.root.resolve()),
                "split": OUT_OF_FOLD,
                "data": data_names(cases),
                "folds": plan.folds,
            },
            order=[case.key for _, case in cases],
        )


def _choose_fold(plan: CrossValidation, number: int) -> TrainingCases:
    holdout = Holdout(folds=plan.folds, fold=number)
    return choose_cases(plan.datasets, holdout, seed=plan.config.seed)


def _is_trained(folder: RunFolder, epochs: int) -> bool:
    state = load_state(folder.root / "state")
    weights = folder.root / WEIGHTS
    return state is not None and state.epoch >= epochs and weights.is_file()


def _is_finished(folder: RunFolder, epochs: int) -> bool:
    """Tell whether a fold has all that comes after the last epoch, too."""
    return _is_trained(folder, epochs) and has_current_onnx(folder.root)


def _load_fold(plan: CrossValidation, number: int) -> LungModel:
    folder = plan.run.fold(number)
    if not _is_trained(folder, plan.config.epochs):
        msg = (
            f"{folder.root} is not trained to the end. Run 'lungcli train --resume "
            f"--run {plan.run.root}' first."
        )
        raise ModelError(msg)
    # the weights could be those of a fold with other cases
    _choose_fold(plan, number).check_unchanged(folder, plan.config)
    return load_model(find_model(folder.root))


def _write_labels(folder: Path, case: PreparedCase, labels: LabelMap) -> None:
    name = Path(case.reference).name  # one that every file system allows
    write_png(labels, folder / case.source / name)


def _count_on(
    progress: Progress, before: int, all_cases: int, task: str, done: int, total: int
) -> None:
    """Tell how far all folds are, not the one that is scored."""
    del total
    progress(task, before + done, all_cases)
