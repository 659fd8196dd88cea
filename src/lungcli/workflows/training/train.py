"""Train a network on prepared data sets and leave a run folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import Holdout, TrainConfig
from lungcli.model.info import MODEL_JSON, ModelInfo
from lungcli.model.runs import (
    RUNS,
    RunFolder,
    check_latest,
    find_run,
    new_run_folder,
    read_config,
)
from lungcli.nn.distribution import join_processes
from lungcli.nn.state import load_state
from lungcli.system.files import PART, beside
from lungcli.system.locks import LOCK
from lungcli.workflows.shared.datasets import one_convention, open_all
from lungcli.workflows.training.beginning import start_new, take_up
from lungcli.workflows.training.cases import TrainingCases, choose_cases, settings_for
from lungcli.workflows.training.events import TrainEvents, TrainResult
from lungcli.workflows.training.fine_tuning import Initial, settings_from
from lungcli.workflows.training.fitting import Fitting
from lungcli.workflows.training.joint_runs import folder_of_process
from lungcli.workflows.training.record import RunRecord
from lungcli.workflows.training.setup import THRESHOLD, set_up


def train(
    data: Sequence[str | Path],
    config: TrainConfig | None = None,
    *,
    run: Path | None = None,
    runs: Path = RUNS,
    final: bool = False,
    any_convention: bool = False,
    init: str | Path | None = None,
    events: TrainEvents | None = None,
) -> TrainResult:
    """Train a network from random weights, or from those of a trained one.

    Args:
        data: Folders of prepared data sets; together they train one network.
        config: Settings; None for the defaults, or those of the network to begin with.
        run: Folder of the run; by default one in `runs`, named after the time.
        runs: Folder whose `latest` will mean this run.
        final: Whether to train on the validation cases too; then the weights of the
            last epoch are kept.
        any_convention: Whether masks with and without heart may be mixed.
        init: Network to begin with, as `models.find_model` takes it; the settings
            must name its architecture (`fine_tuning.settings_from` makes them so).
        events: Who listens.

    Returns:
        What was left; on Ctrl-C the epochs that were done.

    Raises:
        DatasetError: If a data set is missing, has no training or validation
            cases, or another mask convention than the others.
        ModelError: If there is no usable network to begin with.
        ConfigError: If the run folder exists already, or a setting is impossible.
        OutputError: If the run folder cannot be written.
    """
    if config is None:
        config = (
            settings_from(init, {}, where="train", runs=runs) if init else TrainConfig()
        )
    if join_processes().count > 1 and run is None:
        msg = "several processes train one run: name it with --run, the same for all."
        raise ConfigError(msg)
    initial = None if init is None else Initial.find(init, runs=runs)
    datasets = open_all(data)
    one_convention(datasets, any_convention=any_convention)
    folder = RunFolder(run) if run else new_run_folder(datasets[0].name, runs=runs)
    check_latest(runs)
    holdout = Holdout(final=final)
    cases = choose_cases(datasets, holdout, seed=config.seed)
    config = settings_for(holdout, config)
    return begin(folder, config, cases, initial=initial, runs=runs, events=events)


def begin(
    folder: RunFolder,
    config: TrainConfig,
    cases: TrainingCases,
    *,
    initial: Initial | None = None,
    runs: Path | None,
    events: TrainEvents | None = None,
) -> TrainResult:
    """Train a network on cases that are already chosen.

    Args:
        folder: The run, a new one.
        config: Settings.
        cases: Which ones train, and which are only watched.
        initial: The trained network to begin with; None for random weights.
        runs: Folder whose `latest` will mean this run; None leaves it alone.
        events: Who listens.
    """
    if initial is not None:
        initial.check_fits(config)
    convention = one_convention(cases.datasets, any_convention=True)
    with folder_of_process(folder, check=check_new) as own:
        setup = set_up(
            own,
            config,
            cases,
            notes=initial.notes(convention, cases.validation) if initial else (),
        )
        record = RunRecord(
            own, setup.new_evolution(), runs=runs if own is folder else None
        )
        fitting = Fitting(setup, record)
        info = ModelInfo(
            network=setup.config.network,
            convention=str(convention),
            threshold=THRESHOLD,
            data=cases.trained_on(setup.config),
        )
        start_new(setup, fitting.trainer, info, initial=initial)
        result = fitting.run(events or TrainEvents())
    return replace(result, run=folder)


def resume(
    run: Path | None = None,
    *,
    epochs: int | None = None,
    devices: int | str | None = None,
    runs: Path = RUNS,
    events: TrainEvents | None = None,
) -> TrainResult:
    """Go on with a training that was stopped.

    Settings and data sets are those of the run.

    Args:
        run: Folder of the run; None takes the latest.
        epochs: A new number of epochs in all; None keeps the run's.
        devices: Likewise, on how many devices: the steps remain the same.
        runs: Folder of all runs.
        events: Who listens.

    Raises:
        ModelError: If there is no such run, or its state is broken.
        DatasetError: If a data set is gone, or its cases or splits have changed.
    """
    join_processes()
    folder = find_run(run, runs=runs)
    with folder_of_process(folder) as own:
        settings, paths, holdout = read_config(own)
        config = TrainConfig.from_dict(settings, where=str(folder.config))
        config = replace(
            config,
            epochs=config.epochs if epochs is None else epochs,
            devices=config.devices if devices is None else devices,
        )
        cases = choose_cases(open_all(paths), holdout, seed=config.seed)
        cases.check_unchanged(folder, config)
        state = load_state(own.root / "state")
        setup = set_up(own, config, cases, state=state)
        pointed = runs if own is folder and not holdout.folds else None
        record = RunRecord(own, setup.new_evolution(), runs=pointed)
        fitting = Fitting(setup, record, state=state)
        take_up(setup, fitting.trainer, record)
        result = fitting.run(events or TrainEvents())
    return replace(result, run=folder)


def check_new(folder: RunFolder) -> None:
    """Refuse a folder that holds something.

    What was killed before it had written all that a run begins with is nothing yet.

    Raises:
        ConfigError: With the remedy.
    """
    root = folder.root
    if root.exists() and (not root.is_dir() or not _is_free(folder)):
        msg = (
            f"the run folder {root} exists already. Use --resume to go on with it, or "
            "name another one with --run."
        )
        raise ConfigError(msg)


def _is_free(folder: RunFolder) -> bool:
    """Tell whether a folder holds nothing but what comes before `model.json`."""
    begun = (folder.config, folder.initial_weights)
    parts = (beside(path, PART) for path in (*begun, folder.root / MODEL_JSON))
    ours = {folder.root / LOCK, folder.initial_weights.parent, *begun, *parts}
    if any(path not in ours for path in folder.root.rglob("*")):
        return False
    if folder.config.exists():
        try:
            read_config(folder)
        except ModelError:  # somebody else's
            return False
    return True
