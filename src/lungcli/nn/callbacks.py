"""Keras callbacks: order, Dice, best weights, progress, state. None of them prints."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lungcli.errors import ConfigError
from lungcli.model.info import WEIGHTS
from lungcli.nn.augment import Augment
from lungcli.nn.batches import Batches
from lungcli.nn.distribution import agree
from lungcli.nn.losses import logits_of
from lungcli.nn.model_file import save_weights
from lungcli.nn.predictor import predict_in_batches
from lungcli.system.files import copy_file

VAL_DICE = "val_dice"  # the score that chooses the best weights

Logs = Mapping[str, float]
Score = Callable[[Iterable[NDArray[np.float32]]], Logs]


class TrainListener(Protocol):
    """Whoever wants to hear how far a training is."""

    def on_step(self, epoch: int, step: int, logs: Logs, /) -> None:
        """Hear that a step is done: its epoch and number, from 1, and the logs so far.

        A step that the device does together with others is told with the last of them.
        """

    def on_epoch(self, epoch: int, logs: Logs, /) -> None:
        """Hear that an epoch is done and scored: its number, from 1, and its logs."""


class EpochSeeds(keras.callbacks.Callback):
    """Tell the batches and the augmentation which epoch it is; also after a resume."""

    def __init__(self, batches: Batches, augment: Augment) -> None:
        super().__init__()
        self.batches = batches
        self.augment = augment

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Set the epoch, counted from 0."""
        self.batches.epoch = epoch
        self.augment.begin_epoch(epoch)


class AverageWeights(keras.callbacks.Callback):
    """Average the network over about the last epochs, batch norm included.

    Each epoch's weights enter with the same share of what came before, so the start
    is forgotten: an average of 3 epochs keeps two thirds of it.

    Args:
        window: Epochs averaged; 1 copies the last.

    References:
        Izmailov et al. (2018), averaged weights,
        https://doi.org/10.48550/arXiv.1803.05407
    """

    def __init__(self, window: float) -> None:
        super().__init__()
        self.window = max(1.0, window)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take this epoch in, before the callbacks that score the average."""
        del logs
        share = 1.0 / min(self.window, epoch + 1.0)
        segmenter = self.model
        for mean, weight in zip(
            segmenter.averaged.weights, segmenter.network.weights, strict=True
        ):
            mean.assign(mean + share * (weight - mean))


class ValidationDice(keras.callbacks.Callback):
    """Predict the validation cases after each epoch and have them scored.

    The soft Dice of the loss flatters, and a Dice pooled over a batch hides the
    case that failed. The function that scores sees every probability map, so that
    it can threshold it and compare each image with its own mask. It sees them batch by
    batch, so that they are never all in memory.

    Args:
        batches: Generator of the validation cases, in order.
        score: Takes an iterator over the probabilities, `(batch, size, size,
            structures)`, which it must exhaust. Returns what enters the logs;
            `val_dice` must be among it.
    """

    def __init__(self, batches: Batches, score: Score) -> None:
        super().__init__()
        self.batches = batches
        self.score = score

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add loss and scores to the logs, for the callbacks that come after."""
        del epoch
        losses: list[NDArray[np.float32]] = []
        scores = self.score(self._predict(losses))
        val_loss = float(np.mean(np.concatenate(losses)))
        if logs is not None:
            logs.update(agree({"val_loss": val_loss, **scores}))

    def _predict(
        self, losses: list[NDArray[np.float32]]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the probabilities of each batch, and note its losses."""
        for index in range(len(self.batches)):
            pair = self.batches[index][0]
            probabilities = predict_in_batches(
                self.model.averaged, pair["image"], self.batches.batch_size
            )
            losses.append(self._losses(pair["mask"], probabilities))
            yield probabilities

    def _losses(
        self, labels: NDArray[np.uint8], probabilities: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        loss = self.model.losses_of(labels, logits_of(probabilities))
        losses: NDArray[np.float32] = ops.convert_to_numpy(loss)
        return losses


class BestWeights(keras.callbacks.Callback):
    """Keep the weights of the epoch with the highest validation Dice, or of the last.

    They are written twice: as `best.weights.h5`, the model, and under the name of
    their epoch, for the state that belongs to it.

    Args:
        folder: Where `best.weights.h5` goes.
        best: Highest Dice of the epochs before a resume.
        kept: The file of their weights in `state/`; None in a new run.
        keep: `best` or `last`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        best: float = -math.inf,
        kept: Path | None = None,
        keep: str = "best",
    ) -> None:
        super().__init__()
        self.folder = folder
        self.best = best
        self.keep = keep
        self._kept = kept

    @property
    def kept(self) -> Path:
        """The file of the weights in `state/`.

        Raises:
            RuntimeError: If no epoch was completed.
        """
        if self._kept is None:
            msg = "no epoch was completed."
            raise RuntimeError(msg)
        return self._kept

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save if this epoch is better than all before, or if the last is wanted."""
        dice = float((logs or {}).get(VAL_DICE, math.nan))
        if self.keep == "last" or self._kept is None or dice > self.best:
            self._kept = self.folder / "state" / f"best-{epoch + 1:04d}.weights.h5"
            save_weights(self.model.averaged, self._kept)
            copy_file(self._kept, self.folder / WEIGHTS)
            self.best = max(self.best, dice if math.isfinite(dice) else -math.inf)


class Counters(keras.callbacks.Callback):
    """Carry what other callbacks count over a resume; they begin each `fit` anew.

    Args:
        callbacks: Early stopping and the like; they come before this one.
        counts: What they had counted when the state was saved.
    """

    _NAMES = ("best", "cooldown_counter", "wait")

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        counts: Mapping[str, Mapping[str, float | None]],
    ) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.counts = counts

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Set the counters, after the callbacks have reset them."""
        del logs
        for callback in self.callbacks:
            for name, value in self.counts.get(type(callback).__name__, {}).items():
                setattr(callback, name, value)

    def values(self) -> dict[str, dict[str, float]]:
        """Return what each callback has counted, by its class."""
        return {
            type(callback).__name__: {
                name: value
                for name in self._NAMES
                if (value := getattr(callback, name, None)) is not None
                and math.isfinite(value)  # a first Dice that is undefined
            }
            for callback in self.callbacks
        }


class FiniteLoss(keras.callbacks.Callback):
    """End a training that has diverged: its weights are lost, and so is the time."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Remember the epoch; a step may be a whole one."""
        del logs
        self.epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Stop at the first loss that is no number.

        Raises:
            ConfigError: With the remedy.
        """
        del batch
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            rate = float(self.model.optimizer.learning_rate)
            msg = (
                f"the loss is no finite number in epoch {self.epoch + 1} (learning "
                f"rate {rate:g}): the training has diverged. Use a lower "
                "--learning-rate."
            )
            raise ConfigError(msg)


class Reporter(keras.callbacks.Callback):
    """Tell listeners how far the training is.

    Args:
        listeners: Told in this order.
        steps: Training steps in what Keras counts as one batch.
    """

    def __init__(self, listeners: Sequence[TrainListener], steps: int = 1) -> None:
        super().__init__()
        self.listeners = listeners
        self.steps = steps
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Remember the epoch."""
        del logs
        self.epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Report the step that ended."""
        for listener in self.listeners:
            listener.on_step(self.epoch + 1, (batch + 1) * self.steps, _floats(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Report the epoch that ended."""
        rate = {"learning_rate": float(self.model.optimizer.learning_rate)}
        for listener in self.listeners:
            listener.on_epoch(epoch + 1, {**_floats(logs), **rate})


def _floats(logs: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (logs or {}).items()}
