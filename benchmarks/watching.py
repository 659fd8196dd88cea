"""Watch a training from outside, by the files that it writes."""

import csv
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from turns import last_words

VAL_DICE = "val_dice"
_POLL_S = 0.02
_GRACE_S = 60.0  # for a training that is told to end


class TrainingError(Exception):
    """The training ended with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a training took to get where, in seconds from its start.

    Attributes:
        seconds: Until the goal; None if the training ended before.
        epochs: Epochs done by then.
        best: Highest validation Dice by then, over all sources.
        start_s: Until the run folder appeared: imports, data, network.
        compile_s: What the first epoch took longer than the median of the others;
            None if there are none.
        epoch_s: Median of the epochs after the first; None if there are none.
    """

    seconds: float | None
    epochs: int
    best: float
    start_s: float
    compile_s: float | None
    epoch_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the timing as a JSON object."""
        return asdict(self)


def goal_columns(reach: Sequence[str], sources: Sequence[str]) -> dict[str, float]:
    """Return which column of `history.csv` must reach what.

    Args:
        reach: `.975`, for the mean over all cases, or `Montgomery=.978`.
        sources: Sources of the validation cases.

    Raises:
        ValueError: If a source or a number is none.
    """
    by_name = {name.casefold(): name for name in sources}
    columns = {}
    for text in reach:
        name, equals, number = text.rpartition("=")
        if equals and name.casefold() not in by_name:
            msg = (
                f"--reach {text}: no source {name!r}. There are: {', '.join(sources)}."
            )
            raise ValueError(msg)
        # with one source only, the history has no column of its own for it
        one_of_many = equals and len(sources) > 1
        column = f"{VAL_DICE}_{by_name[name.casefold()]}" if one_of_many else VAL_DICE
        columns[column] = float(number)
    return columns


def reached(row: Mapping[str, float], goals: Mapping[str, float]) -> bool:
    """Tell whether one epoch reaches all goals; one network has to."""
    return all(row.get(name, math.nan) >= least for name, least in goals.items())


def time_training(
    command: Sequence[str],
    *,
    run: Path,
    goals: Mapping[str, float],
    env: Mapping[str, str],
    cwd: Path,
    limit: float = math.inf,
) -> Timing:
    """Train until the goals are reached, then end the training.

    Args:
        command: A `lungcli train` with `--run`.
        run: Its run folder, which must not exist.
        goals: Of `goal_columns`.
        env: The whole environment.
        cwd: Where to run it; gets `runs/latest`.
        limit: Seconds after which it is ended without having reached them.

    Raises:
        TrainingError: If it fails.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        began = perf_counter()
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            watch = _Watch(run, began)
            while not watch.reached(goals) and process.poll() is None:
                if perf_counter() - began > limit:
                    return watch.timing(goals)
                sleep(_POLL_S)
            watch.reached(goals)  # what came between the last look and the end
        finally:
            _end(process)
        if not watch.rows:
            errors.seek(0)
            msg = f"the training failed: {last_words(errors.read())}"
            raise TrainingError(msg)
    return watch.timing(goals)


class _Watch:
    """Notes when the files of a run changed."""

    def __init__(self, run: Path, began: float) -> None:
        self.run, self.began = run, began
        self.start_s: float | None = None
        self.rows: list[dict[str, float]] = []
        self.instants: list[float] = []

    def reached(self, goals: Mapping[str, float]) -> bool:
        """Look again; tell whether the newest epochs reach the goals."""
        now = perf_counter() - self.began
        if self.start_s is None and (self.run / "config.json").exists():
            self.start_s = now
        seen = len(self.rows)
        self.rows = read_rows(self.run / "history.csv")
        self.instants += [now] * (len(self.rows) - seen)
        return any(reached(row, goals) for row in self.rows[seen:])

    def timing(self, goals: Mapping[str, float]) -> Timing:
        """Return what was seen up to the goal, or in all."""
        hits = [i for i, row in enumerate(self.rows) if reached(row, goals)]
        epochs = hits[0] + 1 if hits else len(self.rows)
        start = self.start_s or 0.0
        lengths = [b - a for a, b in pairwise([start, *self.instants[:epochs]])]
        usual = median(lengths[1:]) if len(lengths) > 1 else None
        dice = [row.get(VAL_DICE, math.nan) for row in self.rows[:epochs]]
        return Timing(
            seconds=self.instants[hits[0]] if hits else None,
            epochs=epochs,
            best=max((d for d in dice if not math.isnan(d)), default=0.0),
            start_s=start,
            compile_s=None if usual is None else max(0.0, lengths[0] - usual),
            epoch_s=usual,
        )


def read_rows(history: Path) -> list[dict[str, float]]:
    """Return the rows of `history.csv`; none if it is not there yet."""
    try:
        with history.open(encoding="utf-8", newline="") as lines:
            return [
                {name: float(value or "nan") for name, value in row.items()}
                for row in csv.DictReader(lines)
            ]
    except FileNotFoundError:
        return []


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
