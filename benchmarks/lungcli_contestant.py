"""lungcli's side of a race: its own trainer, an epoch a round.

Not to be run by hand: the benchmarks start it, see `turns.py`.
"""

import json
import math
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from lungcli.model.config import TrainConfig
from lungcli.nn.trainer import Pairs, Trainer
from material import read_pairs
from turns import Turns

_WARM_UP = 2  # epochs: one compiles, one saves a state for the first time
_AT_ONCE_S = 0.0003


class Rounds:
    """Turn the epochs of one `fit` into rounds, after those that warm up.

    A round is timed from the report of its first step to that of its last. So neither
    the validation counts, nor what is written between epochs, nor that the memory of
    a process that slept has gone cold. Steps that are reported at one moment were one
    call of the device; if that was the whole epoch, the time since the pause counts.

    Args:
        turns: Line to the parent.
        trainer: What is to be timed.
    """

    def __init__(self, turns: Turns, trainer: Trainer) -> None:
        self.turns = turns
        self.trainer = trainer
        self.reports = [(0, perf_counter())]  # step, and when it was done

    def on_step(self, epoch: int, step: int, logs: Mapping[str, float]) -> None:
        """Note when the step was done."""
        del epoch, logs  # being floats, they have come back from the device
        now = perf_counter()
        if len(self.reports) > 1 and now - self.reports[-1][1] < _AT_ONCE_S:
            self.reports.pop()
        self.reports.append((step, now))

    def on_epoch(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Report the round and sleep until the next."""
        del logs
        if epoch == _WARM_UP:
            self.turns.ready(self._facts())
        elif epoch > _WARM_UP:
            (first, began), *_, (last, ended) = self.reports[len(self.reports) > 2 :]
            images = (last - first) * self.trainer.config.batch_size
            self.turns.done(images=images, seconds=ended - began)
        if _WARM_UP <= epoch < self.trainer.config.epochs:
            self.turns.wait()
        self.reports = [(0, perf_counter())]

    def _facts(self) -> dict[str, Any]:
        weights = self.trainer.network.trainable_weights
        return {
            "parameters": sum(math.prod(weight.shape) for weight in weights),
            "precision": self.trainer.policy,
        }


def _score(batches: Iterable[Any]) -> dict[str, float]:
    for _ in batches:  # predicting is part of an epoch
        pass
    return {"val_dice": 0.0}


def main() -> None:
    """Train on the pairs of the job."""
    turns = Turns()
    job = json.loads(sys.argv[1])
    images, masks = read_pairs(Path(job["pairs"]))
    config = TrainConfig.from_dict(
        {**job["train"], "epochs": _WARM_UP + job["rounds"]}, where="the benchmark"
    )
    few = config.batch_size
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            config,
            Pairs(images, masks),
            Pairs(images[:few], masks[:few]),
            Path(folder),
        )
        trainer.fit(_score, Rounds(turns, trainer))


if __name__ == "__main__":
    main()
