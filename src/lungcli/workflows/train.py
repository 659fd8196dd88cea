"""Train a network on prepared data sets and leave a run folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lungcli.config import TrainConfig
from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.nn.model_file import ModelInfo, TrainedOn, load_info
from lungcli.runs import (
    RUNS,
    RunFolder,
    check_latest,
    find_run,
    new_run_folder,
    read_config,
)
from lungcli.workflows.datasets import full_name, one_convention, open_all
from lungcli.workflows.training import (
    THRESHOLD,
    TrainEvents,
    TrainingSession,
    TrainResult,
)


def train(
    data: Sequence[Path],
    config: TrainConfig,
    *,
    run: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    events: TrainEvents | None = None,
) -> TrainResult:
    """Train a network from new weights.

    Args:
        data: Folders of prepared data sets; together they train one network.
        config: Settings.
        run: Folder of the run; by default one in `runs`, named after the time.
        runs: Folder whose `latest` will mean this run.
        any_convention: Whether masks with and without heart may be mixed.
        events: Who listens.

    Returns:
        What was left; on Ctrl-C the epochs that were done.

    Raises:
        DatasetError: If a data set is missing, has no training or validation
            cases, or another mask convention than the others.
        ConfigError: If the run folder exists already, or a setting is impossible.
        OutputError: If the run folder cannot be written.
    """
    datasets = open_all(data)
    convention = one_convention(datasets, any_convention=any_convention)
    folder = RunFolder(run) if run else new_run_folder(datasets[0].name, runs=runs)
    _check_new(folder)
    check_latest(runs)
    session = TrainingSession(folder, config, datasets, runs=runs)
    info = ModelInfo(
        network=session.config.network,
        convention=str(convention),
        threshold=THRESHOLD,
        data=_trained_on(datasets),
    )
    session.start(info)
    return session.fit(events or TrainEvents())


def resume(
    run: Path | None = None,
    *,
    epochs: int | None = None,
    runs: Path = RUNS,
    events: TrainEvents | None = None,
) -> TrainResult:
    """Go on with a training that was stopped.

    Settings and data sets are those of the run.

    Args:
        run: Folder of the run; None takes the latest.
        epochs: A new number of epochs in all; None keeps the run's.
        runs: Folder of all runs.
        events: Who listens.

    Raises:
        ModelError: If there is no such run, or its state is broken.
        DatasetError: If a data set is gone, or its cases or splits have changed.
    """
    folder = find_run(run, runs=runs)
    settings, paths = read_config(folder)
    config = TrainConfig.from_dict(settings, where=str(folder.config))
    if epochs is not None:
        config = replace(config, epochs=epochs)
    datasets = open_all(paths)
    if _trained_on(datasets) != load_info(folder.root).data:
        listed = ", ".join(str(dataset.root) for dataset in datasets)
        msg = (
            f"{listed} has changed since the run {folder.root} began: other images or "
            "other splits. Prepare it as it was, or start a new run."
        )
        raise DatasetError(msg)
    session = TrainingSession(folder, config, datasets, runs=runs)
    session.go_on()
    return session.fit(events or TrainEvents())


def _check_new(folder: RunFolder) -> None:
    root = folder.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        msg = (
            f"the run folder {root} exists already. Use --resume to go on with it, or "
            "name another one with --run."
        )
        raise ConfigError(msg)


def _trained_on(datasets: Sequence[PreparedDataset]) -> tuple[TrainedOn, ...]:
    return tuple(
        TrainedOn(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            cases=_names(dataset, "train"),
            validation=_names(dataset, "val"),
        )
        for dataset in datasets
    )


def _names(dataset: PreparedDataset, split: str) -> tuple[str, ...]:
    return tuple(
        full_name(case)
        for case in dataset.cases
        if case.has_mask and case.split == split
    )
