"""One training with everything that is written and told around it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lungcli import __version__
from lungcli.config import TrainConfig
from lungcli.data.prepared import PreparedDataset
from lungcli.files import write_json
from lungcli.nn.callbacks import VAL_DICE, Logs
from lungcli.nn.model_file import ModelInfo, save_info
from lungcli.nn.networks import check_network
from lungcli.nn.trainer import Hooks, Pairs, Trainer
from lungcli.pictures.curves import draw_curves
from lungcli.pictures.film import write_png
from lungcli.runs import RunFolder, point_latest_to, read_history, write_history
from lungcli.workflows.datasets import (
    DatasetCase,
    check_disjoint,
    load_pairs,
    select,
    smaller_than,
)
from lungcli.workflows.evolution import Evolution
from lungcli.workflows.validation import ValidationScorer

THRESHOLD: Final = 0.5  # probability of lung from which a pixel counts as lung


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """What is about to be trained, for people to read.

    Attributes:
        run: Folder of the run.
        config: Settings in force.
        first_epoch: Epoch that comes first, from 1; more after a resume.
        best_dice: Highest validation Dice before it; 0 in a new run.
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
    best_dice: float
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
        epochs: Epochs that the settings ask for.
        interrupted: Whether somebody asked it to stop.
    """

    run: RunFolder
    history: tuple[Mapping[str, float], ...]
    epochs: int
    interrupted: bool = False

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept, from 1; 0 if none was completed."""
        return int(self._best["epoch"]) if self.history else 0

    @property
    def best_dice(self) -> float:
        """Its validation Dice, a mean over images in [0, 1]; NaN if there is none."""
        return self._best[VAL_DICE] if self.history else math.nan

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

    @property
    def _best(self) -> Mapping[str, float]:
        def dice(row: Mapping[str, float]) -> float:
            return -math.inf if math.isnan(row[VAL_DICE]) else row[VAL_DICE]

        return max(self.history, key=dice)  # the first, if several are equal


class TrainingSession:
    """The trainer, its data, and the run folder that it fills.

    Args:
        folder: The run.
        config: Settings.
        datasets: Prepared data sets with training and validation cases.
        runs: Folder whose `latest` will mean this run.

    Raises:
        DatasetError: If there are no training or validation cases, or a patient is
            in both.
        ConfigError: If the network cannot be built with the settings.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: TrainConfig,
        datasets: Sequence[PreparedDataset],
        *,
        runs: Path,
    ) -> None:
        check_network(config.network)  # before the images are read
        self.folder = folder
        self.runs = runs
        self.datasets = datasets
        train, validation = select(datasets, "train"), select(datasets, "val")
        check_disjoint(train.cases, validation.cases)
        self.train_cases, self.validation_cases = train.cases, validation.cases
        self.config, notes = _fitted(config, train.cases)
        self.notes = (*train.notes, *validation.notes, *notes)
        pairs = Pairs(*load_pairs(validation.cases, config.size))
        self.trainer = Trainer(
            self.config,
            Pairs(*load_pairs(train.cases, config.size)),
            pairs,
            folder.root,
        )
        self.evolution = Evolution(
            folder,
            images=pairs.images[..., 0],
            references=pairs.masks[..., 0],
            names=[case.case_id for _, case in validation.cases],
            threshold=THRESHOLD,
        )
        self.rows: list[dict[str, float]] = []
        self.done = 0

    def start(self, info: ModelInfo) -> None:
        """Write what a new run begins with."""
        self._write_config()
        save_info(self.folder.root, info)

    def go_on(self) -> None:
        """Take up the state and the history of the run.

        Raises:
            ModelError: If they are broken or do not fit each other.
        """
        self.done = self.trainer.resume()
        self.rows = read_history(self.folder, epochs=self.done)
        self._write_config()

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

    def _write_config(self) -> None:
        data = [
            {"path": str(dataset.root.resolve()), "name": dataset.name}
            for dataset in self.datasets
        ]
        document = {
            "lungcli": __version__,
            "settings": self.config.to_dict(),
            "data": data,
        }
        write_json(self.folder.config, document)

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
            # not before: `latest` means a run that has weights
            point_latest_to(self.folder, runs=self.runs)
            events.on_epoch(epoch, logs)

        return Hooks(score=score, on_step=on_step, on_epoch=on_epoch)

    def _finish(self) -> None:
        if not self.rows:
            return
        names = [name for name in self.rows[0] if name != "epoch"]
        curves = {name: [row[name] for row in self.rows] for name in names}
        picture = draw_curves(curves, title=self.folder.root.name)
        write_png(picture, self.folder.curves)
        self.evolution.write_film()

    def _plan(self) -> TrainPlan:
        best = self._result(interrupted=False).best_dice
        return TrainPlan(
            run=self.folder.root,
            config=self.config,
            first_epoch=self.done + 1,
            best_dice=0.0 if math.isnan(best) else best,
            steps=len(self.trainer.batches),
            num_train=len(self.train_cases),
            num_validation=len(self.validation_cases),
            parameters=self.trainer.network.count_params(),
            precision=self.trainer.policy,
            notes=self.notes,
        )

    def _result(self, *, interrupted: bool) -> TrainResult:
        return TrainResult(
            run=self.folder,
            history=tuple(self.rows),
            epochs=self.config.epochs,
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
