"""What a training leaves in its run folder, epoch by epoch and at its end."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lungcli.errors import ModelError
from lungcli.model.runs import (
    RunFolder,
    point_latest_to,
    read_history,
    rows_of_history,
    write_history,
)
from lungcli.nn.callbacks import VAL_DICE, Logs
from lungcli.pictures.figures.curves import draw_curves
from lungcli.pictures.figures.theme import save_figure
from lungcli.workflows.training.events import best_row
from lungcli.workflows.training.evolution import Evolution


class RunRecord:
    """The history of a run and its pictures; listens to the training.

    Args:
        folder: The run.
        evolution: Draws the predictions of each epoch.
        runs: Folder whose `latest` will mean this run; None leaves it alone.
    """

    def __init__(
        self, folder: RunFolder, evolution: Evolution, *, runs: Path | None
    ) -> None:
        self._folder = folder
        self._evolution = evolution
        self._runs = runs
        self._rows: list[dict[str, float]] = []

    @property
    def rows(self) -> tuple[dict[str, float], ...]:
        """One row an epoch."""
        return tuple(self._rows)

    @property
    def best_dice(self) -> float:
        """Highest validation Dice so far; 0 if there is none."""
        best = best_row(self._rows)[VAL_DICE] if self._rows else 0.0
        return 0.0 if math.isnan(best) else best

    def take_up(self, *, epochs: int) -> None:
        """Go on after so many epochs, with the rows that the run has of them.

        Raises:
            ModelError: If they are missing, or there are rows where there should be
                none.
        """
        self._rows = read_history(self._folder, epochs=epochs)
        if not epochs and len(rows_of_history(self._folder)) > 1:
            root = self._folder.root
            msg = (
                f"cannot resume {root}: it has a history, but no state to "
                f"go on from. Restore {root / 'state'}, or start a new run."
            )
            raise ModelError(msg)

    def watch(
        self, batches: Iterable[NDArray[np.float32]]
    ) -> Iterator[NDArray[np.float32]]:
        """Hand on the probabilities of the validation cases, and see some."""
        return self._evolution.watch(batches)

    def on_step(self, epoch: int, step: int, logs: Logs) -> None:
        """Leave nothing: steps are not kept."""

    def on_epoch(self, epoch: int, logs: Logs) -> None:
        """Write the row of the epoch and draw its frame."""
        self._rows.append({"epoch": float(epoch), **logs})
        write_history(self._folder, self._rows)
        self._evolution.draw(epoch, logs[VAL_DICE])
        if self._runs is not None:
            # not before: `latest` means a run that has weights
            point_latest_to(self._folder, runs=self._runs)

    def finish(self) -> None:
        """Draw the curves and the film, if there is an epoch to show."""
        if not self._rows:
            return
        names = [name for name in self._rows[0] if name != "epoch"]
        curves = {name: [row[name] for row in self._rows] for name in names}
        figure = draw_curves(curves, title=self._folder.root.name)
        save_figure(figure, self._folder.curves)
        self._evolution.write_film()
