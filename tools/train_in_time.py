"""Train as `lungcli train --config` does, for as many epochs as fit into a time.

    python tools/train_in_time.py tools/final.toml --data prepared --run R --seconds 300

How long an epoch takes on a borrowed machine nobody knows before. The training begins
with the epochs of the file. If the first of them show that the time will not do, it
stops between two epochs and goes on with fewer: a training that is cut off ends at a
high learning rate, while this one comes down in time.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from lungcli.cli.train_settings import (
    GivenSettings,
    merge_settings,
    read_settings_file,
)
from lungcli.cli.training_view import TrainingView, speed
from lungcli.errors import LungcliError
from lungcli.model.config import TrainConfig
from lungcli.nn.callbacks import Logs
from lungcli.workflows.training.events import TrainEvents, TrainResult
from lungcli.workflows.training.train import resume, train

WATCHED = 4  # epochs; the first compiles
MARGIN = 1.05  # of the time an epoch is expected to take
FINISH = 15.0  # seconds; curves and film


@dataclass(slots=True, kw_only=True)
class Watch:
    """Sees how long epochs take, and stops a training that would take too long.

    Attributes:
        began: When the training began, in seconds, as `perf_counter` counts them.
        ends: When it has to be over.
        epochs: How many are planned.
        instants: When each epoch was done.
        fewer: How many fit, once it has been stopped; else None.
    """

    began: float
    ends: float
    epochs: int
    instants: list[float] = field(default_factory=list)
    fewer: int | None = None

    def on_epoch(self, epoch: int, logs: Logs) -> None:
        """Note the time; ask for a stop after this epoch if it will not do."""
        del logs
        self.instants.append(perf_counter())
        if len(self.instants) == WATCHED and not self.suffices(epoch):
            self.fewer = self.affordable(epoch)
            signal.raise_signal(signal.SIGTERM)  # answered when the epoch is saved

    def suffices(self, done: int) -> bool:
        """Tell whether the epochs that are left fit into the time that is left."""
        return (self.epochs - done) * self._epoch_s <= self._left

    def affordable(self, done: int) -> int:
        """Return how many epochs fit in all, if it starts once more."""
        start = self.instants[0] - self.began
        return done + max(1, int((self._left - start) / self._epoch_s))

    @property
    def _epoch_s(self) -> float:
        return MARGIN * median(b - a for a, b in pairwise(self.instants))

    @property
    def _left(self) -> float:
        return self.ends - FINISH - self.instants[-1]


def train_in_time(
    config: TrainConfig,
    data: Sequence[Path],
    run: Path,
    seconds: float,
    *,
    final: bool = False,
    init: str | None = None,
) -> TrainResult:
    """Train; return what was left.

    Args:
        config: Settings.
        data: Prepared data sets.
        run: Folder of the run, a new one.
        seconds: How long it may take.
        final: Whether to train on the validation cases too.
        init: Network to begin with.
    """
    now = perf_counter()
    watch = Watch(began=now, ends=now + seconds, epochs=config.epochs)
    with TrainingView() as view:
        events = watched(view.events(), watch)
        result = train(
            data,
            config,
            run=run,
            runs=run.parent,
            final=final,
            init=init,
            events=events,
        )
        if watch.fewer is not None:
            typer.echo(f"{config.epochs} epochs take too long: {watch.fewer}", err=True)
            result = resume(run, epochs=watch.fewer, runs=run.parent, events=events)
    return result


def watched(events: TrainEvents, watch: Watch) -> TrainEvents:
    """Return events that are seen by the watch, too."""

    def on_epoch(epoch: int, logs: Logs) -> None:
        events.on_epoch(epoch, logs)
        watch.on_epoch(epoch, logs)

    return replace(events, on_epoch=on_epoch)


def main(
    config: Annotated[Path, typer.Argument(help="Settings of 'lungcli train'.")],
    data: Annotated[list[Path], typer.Option("--data", "-d", help="Repeatable.")],
    run: Annotated[Path, typer.Option(help="Folder of the run.")],
    seconds: Annotated[float, typer.Option(help="How long it may take.")],
    epochs: Annotated[
        int | None, typer.Option(help="In the place of the file's.")
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Train on the validation cases too.")
    ] = False,
) -> None:
    """Train for as many epochs as fit into a time."""
    # a stop, our own or another's, comes between two epochs
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        file = read_settings_file(config)
        init = file.files.init
        wanted = merge_settings(GivenSettings(epochs=epochs), file, init=init)
        result = train_in_time(wanted, data, run, seconds, final=final, init=init)
    except LungcliError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for doubt in result.doubts:
        typer.echo(f"note: {doubt}", err=True)
    typer.echo(
        f"Dice {result.kept_dice:.4f} in epoch {result.kept_epoch} of "
        f"{len(result.history)}; {speed(result)}"
    )
    if result.interrupted:
        raise typer.Exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    typer.run(main)
