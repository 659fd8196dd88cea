"""Train a network on prepared data sets and leave a run folder."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lungcli import __version__
from lungcli.config import TrainConfig
from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.files import write_json
from lungcli.nn.callbacks import VAL_DICE, Logs
from lungcli.nn.model_file import ModelInfo, TrainedOn, save_info
from lungcli.nn.trainer import Hooks, Pairs, Trainer
from lungcli.pictures.curves import draw_curves
from lungcli.pictures.film import write_png
from lungcli.runs import (
    RUNS,
    RunFolder,
    find_run,
    new_run_folder,
    point_latest_to,
    read_config,
    read_history,
    write_history,
)
from lungcli.workflows.datasets import (
    DatasetCase,
    load_pairs,
    one_convention,
    open_all,
    select,
    smaller_than,
)
from lungcli.workflows.evolution import Evolution
from lungcli.workflows.validation import ValidationScorer

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """What is about to be trained, for people to read.

    Attributes:
        run: Folder of the run.
        config: Settings in force.
        first_epoch: Epoch that comes first, from 1; more after a resume.
        steps: Steps an epoch.
        num_train: Training cases.
        num_validation: Validation cases.
        parameters: Weights of the network.
        precision: Dtype policy that `auto` became.
        notes: What the user should know.
    """

    run: Path
    config: TrainConfig
    first_epoch: int
    steps: int
    num_train: int
    num_validation: int
    parameters: int
    precision: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainEvents:
    """Who listens while a training runs; by default nobody.

    Attributes:
        on_plan: Called once, before the first epoch.
        on_step: Called with epoch and step, both from 1, and the logs so far.
        on_epoch: Called with the epoch, from 1, and its logs.
    """

    on_plan: Callable[[TrainPlan], None] = lambda plan: None
    on_step: Callable[[int, int, Logs], None] = lambda epoch, step, logs: None
    on_epoch: Callable[[int, Logs], None] = lambda epoch, logs: None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training left.

    Attributes:
        run: Its folder, which is also the model.
        history: One row an epoch.
        best_epoch: The epoch whose weights were kept, from 1.
        best_dice: Its validation Dice, a mean over images, in [0, 1].
        interrupted: Whether it stopped before the last epoch of the settings
            because somebody asked it to.
    """

    run: RunFolder
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    best_dice: float
    interrupted: bool = False

    @property
    def files(self) -> list[Path]:
        """What a person may want to open."""
        run = self.run
        wanted = (run.root, run.history, run.curves, run.evolution)
        return [path for path in wanted if path.exists()]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON document."""
        return {
            "run": str(self.run.root),
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "best_dice": None if math.isnan(self.best_dice) else self.best_dice,
            "interrupted": self.interrupted,
        }


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
        ConfigError: If the run folder exists already.
        OutputError: If the run folder cannot be written.
    """
    datasets = open_all(data)
    convention = one_convention(datasets, any_convention=any_convention)
    folder = RunFolder(run) if run else new_run_folder(datasets[0].name, runs=runs)
    if folder.root.exists() and any(folder.root.iterdir()):
        msg = (
            f"the run folder {folder.root} exists already. Use --resume to go on "
            "with it, or name another one with --run."
        )
        raise ConfigError(msg)
    session = _Session(folder, config, datasets)
    info = ModelInfo(
        network=config.network,
        convention=str(convention),
        threshold=THRESHOLD,
        data=tuple(_trained_on(dataset) for dataset in datasets),
    )
    session.start(info, runs)
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
        DatasetError: If a data set is gone or has changed.
    """
    folder = find_run(run, runs=runs)
    document = read_config(folder)
    config = TrainConfig.from_dict(document["settings"], where=str(folder.config))
    if epochs is not None:
        config = replace(config, epochs=epochs)
    datasets = open_all([Path(entry["path"]) for entry in document["data"]])
    for dataset, entry in zip(datasets, document["data"], strict=True):
        if dataset.fingerprint != entry["fingerprint"]:
            msg = (
                f"{dataset.root} has changed since the run {folder.root} began. "
                "Prepare it as it was, or start a new run."
            )
            raise DatasetError(msg)
    session = _Session(folder, config, datasets)
    session.go_on(runs)
    return session.fit(events or TrainEvents())


class _Session:
    """The trainer with everything that is written and told around it."""

    def __init__(
        self,
        folder: RunFolder,
        config: TrainConfig,
        datasets: Sequence[PreparedDataset],
    ) -> None:
        self.folder = folder
        self.datasets = datasets
        self.train_cases = select(datasets, "train")
        self.validation_cases = select(datasets, "val")
        self.config, self.notes = _fitted(config, self.train_cases)
        size = self.config.size
        validation = Pairs(*load_pairs(self.validation_cases, size))
        self.trainer = Trainer(
            self.config,
            Pairs(*load_pairs(self.train_cases, size)),
            validation,
            folder.root,
        )
        self.evolution = Evolution(
            folder,
            images=validation.images[..., 0],
            references=validation.masks[..., 0],
            names=[case.case_id for _, case in self.validation_cases],
        )
        self.rows: list[dict[str, float]] = []
        self.done = 0

    def start(self, info: ModelInfo, runs: Path) -> None:
        """Write what a new run begins with."""
        data = [
            {
                "path": str(dataset.root.resolve()),
                "name": dataset.name,
                "fingerprint": dataset.fingerprint,
            }
            for dataset in self.datasets
        ]
        write_json(
            self.folder.config,
            {
                "lungcli": __version__,
                "settings": self.config.to_dict(),
                "data": data,
            },
        )
        save_info(self.folder.root, info)
        point_latest_to(self.folder, runs=runs)

    def go_on(self, runs: Path) -> None:
        """Take up the state and the history of the run."""
        self.done = self.trainer.resume()
        self.rows = read_history(self.folder, epochs=self.done)
        point_latest_to(self.folder, runs=runs)

    def fit(self, events: TrainEvents) -> TrainResult:
        """Train, and finish the run folder however the training ends."""
        events.on_plan(self._plan())
        interrupted = False
        if self.done < self.config.epochs:
            try:
                self.trainer.fit(self._hooks(events))
            except KeyboardInterrupt:
                interrupted = True
            finally:
                self._finish()
        return self._result(interrupted=interrupted)

    def _hooks(self, events: TrainEvents) -> Hooks:
        scorer = ValidationScorer(self.validation_cases, threshold=THRESHOLD)

        def score(probabilities: Any) -> Logs:
            self.evolution.keep(probabilities)
            return scorer(probabilities)

        def on_step(step: int, logs: Logs) -> None:
            events.on_step(self.done + 1, step, logs)

        def on_epoch(epoch: int, logs: Logs) -> None:
            self.done = epoch
            self.rows.append({"epoch": float(epoch), **logs})
            write_history(self.folder, self.rows)
            self.evolution.draw(epoch, logs[VAL_DICE])
            events.on_epoch(epoch, logs)

        return Hooks(score=score, on_step=on_step, on_epoch=on_epoch)

    def _finish(self) -> None:
        if not self.rows:
            return
        columns = {name: [row[name] for row in self.rows] for name in self.rows[0]}
        curves = {name: values for name, values in columns.items() if name != "epoch"}
        picture = draw_curves(curves, title=self.folder.root.name)
        write_png(picture, self.folder.curves)
        self.evolution.write_film()

    def _plan(self) -> TrainPlan:
        return TrainPlan(
            run=self.folder.root,
            config=self.config,
            first_epoch=self.done + 1,
            steps=len(self.trainer.batches),
            num_train=len(self.train_cases),
            num_validation=len(self.validation_cases),
            parameters=self.trainer.network.count_params(),
            precision=self.trainer.policy,
            notes=tuple(self.notes),
        )

    def _result(self, *, interrupted: bool) -> TrainResult:
        scores = [row[VAL_DICE] for row in self.rows]
        best = max(
            range(len(scores)),
            key=lambda i: -math.inf if math.isnan(scores[i]) else scores[i],
            default=None,
        )
        return TrainResult(
            run=self.folder,
            history=tuple(self.rows),
            best_epoch=0 if best is None else int(self.rows[best]["epoch"]),
            best_dice=math.nan if best is None else scores[best],
            interrupted=interrupted,
        )


def _fitted(
    config: TrainConfig, cases: Sequence[DatasetCase]
) -> tuple[TrainConfig, list[str]]:
    """Return settings that suit the data, and what the user should know of it."""
    notes = []
    if config.batch_size > len(cases):
        notes.append(
            f"only {len(cases)} training cases: the batch size is now that, "
            f"not {config.batch_size}."
        )
        config = replace(config, batch_size=len(cases))
    smaller = smaller_than(config.size, cases)
    if smaller:
        notes.append(
            f"{smaller} of {len(cases)} training images are stored smaller than the "
            f"network's {config.size} pixels and are enlarged."
        )
    return config, notes


def _trained_on(dataset: PreparedDataset) -> TrainedOn:
    cases = (case for case in dataset.cases if case.has_mask and case.split == "train")
    return TrainedOn(
        name=dataset.name,
        fingerprint=dataset.fingerprint,
        cases=tuple(f"{case.source}/{case.case_id}" for case in cases),
    )
