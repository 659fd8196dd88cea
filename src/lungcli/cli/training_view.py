"""What a person sees while a network trains, and when it is done."""

import shlex
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lungcli.cli.output import (
    err,
    is_live,
    out,
    plain,
    print_json,
    print_note,
    print_paths,
)

if TYPE_CHECKING:  # the workflow loads TensorFlow
    from lungcli.workflows.training.events import TrainEvents, TrainPlan, TrainResult

_COLUMNS = ("epoch", "loss", "val loss", "val Dice", "rate", "seconds")


class TrainingView:
    """Print a row an epoch and, on a terminal, a live bar below the rows."""

    def __init__(self) -> None:
        self._live = is_live()
        self._bar = Progress(
            TextColumn("{task.description}"),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("step {task.fields[step]}/{task.fields[steps]}"),
            BarColumn(),
            TextColumn("{task.fields[rate]} images/s"),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("Dice {task.fields[dice]}"),
            console=err,
            transient=True,
            disable=not self._live,
        )
        self._best = 0.0
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def events(self) -> "TrainEvents":
        """Return the three listeners in the form that the workflow takes."""
        from lungcli.workflows.training.events import TrainEvents

        return TrainEvents(
            on_plan=self.show_plan, on_step=self.show_step, on_epoch=self.show_epoch
        )

    def show_plan(self, plan: "TrainPlan") -> None:
        """Say what is about to be trained, on how much, and where it goes."""
        self._plan = plan
        self._best = plan.best_dice
        holdout = plan.holdout
        fold = f"fold {holdout.fold}/{holdout.folds}" if holdout.fold else ""
        if fold:
            err.print(f"[bold]{fold}[/bold]", highlight=False)
        devices = int(plan.config.devices)
        on = f" on {devices} devices" if devices > 1 else ""
        err.print(
            f"{plan.config.arch}, {plan.config.size} px, {plan.parameters:,} weights, "
            f"{plan.precision}{on}: {plan.num_train} training and "
            f"{plan.num_validation} validation cases",
            highlight=False,
            soft_wrap=True,
        )
        err.print(f"run folder: {plain(str(plan.run))}", soft_wrap=True)
        for note in plan.notes:
            if note not in self._told:  # by another fold
                print_note(note)
        self._told.update(plan.notes)
        done = plan.first_epoch - 1
        if done >= plan.config.epochs:
            print_note(f"all {done} epochs are done. Use a larger --epochs to go on.")
            return
        header = "".join(f"{name:>10}" for name in _COLUMNS)
        err.print(f"[bold]{header}[/bold]  * best so far", highlight=False)
        for finished in self._bar.task_ids:  # the folds before
            self._bar.remove_task(finished)
        self._task = self._bar.add_task(
            fold,
            total=(plan.config.epochs - done) * plan.steps,
            epoch=plan.first_epoch,
            epochs=plan.config.epochs,
            step=0,
            steps=plan.steps,
            rate="-",
            loss="-",
            dice="-",
        )
        self._bar.start()
        self._epoch_began = time.monotonic()

    def show_step(self, epoch: int, step: int, logs: Mapping[str, float]) -> None:
        """Move the bar."""
        plan = self._plan
        seconds = time.monotonic() - self._epoch_began
        self._bar.update(
            self._task,
            completed=(epoch - plan.first_epoch) * plan.steps + step,
            epoch=epoch,
            step=step,
            rate=f"{step * plan.config.batch_size / max(seconds, 1e-6):.0f}",
            loss=f"{logs['loss']:.3f}",
        )

    def show_epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Print the epoch's row; the best so far has a star."""
        seconds = time.monotonic() - self._epoch_began
        dice = logs["val_dice"]
        better = dice > self._best
        self._best = max(self._best, dice)
        sources = "".join(
            f"  {name.removeprefix('val_dice_')} {value:.4f}"
            for name, value in logs.items()
            if name.startswith("val_dice_")
        )
        err.print(
            f"{epoch:>10}{logs['loss']:>10.4f}{logs['val_loss']:>10.4f}{dice:>10.4f}"
            f"{logs['learning_rate']:>10.1e}{seconds:>10.1f}"
            f"{' *' if better else '  '}{plain(sources)}",
            highlight=False,
            soft_wrap=True,
        )
        self._bar.update(self._task, dice=f"{dice:.4f}")
        self._epoch_began = time.monotonic()


def speed(result: "TrainResult") -> str:
    """Return the speed of a training in one line; empty if it was too short."""
    measured = result.throughput
    if measured.images_per_second is None or measured.input_share is None:
        return ""
    epoch = measured.seconds_per_epoch
    pace = "" if epoch is None else f", {epoch:.1f} s an epoch"
    waited = 100 * measured.input_share
    return (
        f"{measured.images_per_second:.0f} images/s{pace} on {result.hardware}; "
        f"limited by {measured.limited_by}, {waited:.0f} % of the time went to input"
    )


def show_training(train: "Callable[..., TrainResult]", *, as_json: bool) -> None:
    """Run a training and show what it left.

    Args:
        train: Trains; takes `events`.
        as_json: Whether stdout gets the result as JSON, and nothing else.

    Raises:
        Exit: With 130, if somebody asked it to stop.
    """
    with TrainingView() as view:
        result = train(events=view.events())
    if as_json:
        print_json(result.to_dict())
    elif result.history:
        _show(result)
    for doubt in result.doubts:
        print_note(doubt)
    if result.interrupted:
        again = shlex.join(
            ["lungcli", "train", "--resume", "--run", f"{result.run.root}"]
        )
        print_note(f"stopped after epoch {len(result.history)}. Go on with: {again}")
        raise typer.Exit(130)
    if len(result.history) < result.epochs:
        print_note(
            f"stopped early, after epoch {len(result.history)}: the validation Dice "
            "did not get better."
        )


def _show(result: "TrainResult") -> None:
    if result.keep == "last":
        out.print(
            f"validation Dice [bold]{result.kept_dice:.4f}[/bold] in the last epoch, "
            "whose weights were kept"
        )
    else:
        out.print(
            f"best validation Dice [bold]{result.best_dice:.4f}[/bold] "
            f"in epoch {result.best_epoch}"
        )
    if line := speed(result):
        out.print(line, highlight=False, soft_wrap=True)
    print_paths(out, result.files)
    out.print("next: lungcli evaluate, lungcli visualize --gif")
