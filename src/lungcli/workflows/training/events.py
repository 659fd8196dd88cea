"""What a training tells: before it, while it runs, and when it is over."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli.model.config import Holdout, TrainConfig
from lungcli.model.runs import RunFolder
from lungcli.nn.callbacks import VAL_DICE, Logs
from lungcli.nn.throughput import Throughput


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """What is about to be trained, for people to read.

    Attributes:
        run: Folder of the run.
        config: Settings in force.
        holdout: How its cases were chosen.
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
    holdout: Holdout
    first_epoch: int
    best_dice: float
    steps: int
    num_train: int
    num_validation: int
    parameters: int
    precision: str
    notes: tuple[str, ...]


# The last two make it a `nn.callbacks.TrainListener`: the trainer itself calls them.
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainEvents:
    """Who listens while a training runs; by default nobody.

    Attributes:
        on_plan: Called before the first epoch; once more if the batches are halved, for
            want of memory.
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
        throughput: How fast it was.
        hardware: What it computed on, and in which numbers.
        keep: Whose weights were to be kept: the `best` or the `last` epoch's.
        interrupted: Whether somebody asked it to stop.
        doubts: What went wrong without harm to the weights.
    """

    run: RunFolder
    history: tuple[Mapping[str, float], ...]
    epochs: int
    throughput: Throughput
    hardware: str
    keep: str = "best"
    interrupted: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights the run holds, from 1; 0 if none was completed."""
        return len(self.history) if self.keep == "last" else self.best_epoch

    @property
    def best_epoch(self) -> int:
        """The epoch of the best validation Dice, from 1; 0 if none was completed."""
        return int(best_row(self.history)["epoch"]) if self.history else 0

    @property
    def best_dice(self) -> float:
        """Its validation Dice, a mean over images in [0, 1]; NaN if there is none."""
        return best_row(self.history)[VAL_DICE] if self.history else math.nan

    @property
    def kept_dice(self) -> float:
        """The validation Dice of the weights that the run holds; NaN likewise."""
        return self.history[self.kept_epoch - 1][VAL_DICE] if self.history else math.nan

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
            "kept_epoch": self.kept_epoch,
            "hardware": self.hardware,
            **self.throughput.to_dict(),
            "interrupted": self.interrupted,
        }


def best_row(history: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    """Return the row of the highest validation Dice, the first if several are equal.

    Args:
        history: One row an epoch, at least one.
    """

    def dice(row: Mapping[str, float]) -> float:
        return -math.inf if math.isnan(row[VAL_DICE]) else row[VAL_DICE]

    return max(history, key=dice)
