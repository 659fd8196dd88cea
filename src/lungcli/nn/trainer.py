"""One training: network, optimizer, callbacks, `fit`."""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import TrainConfig
from lungcli.nn.augment import Augment
from lungcli.nn.batches import Batches
from lungcli.nn.callbacks import (
    VAL_DICE,
    AverageWeights,
    BestWeights,
    Counters,
    EpochSeeds,
    FiniteLoss,
    Reporter,
    Score,
    TrainListener,
    ValidationDice,
)
from lungcli.nn.distribution import others_watched, spread_over, this_process
from lungcli.nn.memory import memory_watched
from lungcli.nn.model_file import first_line
from lungcli.nn.networks import build_network
from lungcli.nn.optimizer import AdamW
from lungcli.nn.planes import Planes
from lungcli.nn.precision import dtype_policy, make_deterministic, on_cpu
from lungcli.nn.resident import ResidentBatches, ResidentSegmenter, fits_on_device
from lungcli.nn.schedule import Part, SmoothCosine, plan_parts
from lungcli.nn.segmenter import Segmenter
from lungcli.nn.snapshot import load_snapshot
from lungcli.nn.state import Counts, StateKeeper, TrainingState, restore_best
from lungcli.nn.stopping import StopRequests
from lungcli.nn.throughput import ThroughputMeter
from lungcli.system.interrupts import deferred
from lungcli.system.pixel_store import Pixels

_CLIP_NORM = 1.0
_AVERAGED = 0.05  # of all epochs


@dataclass(frozen=True, slots=True)
class Pairs:
    """CXRs and label maps, each uint8 `(n, size, size, 1)`, in memory or on disk."""

    images: Pixels
    masks: Pixels
    partial: bool = False  # whether masks leave open what a pixel is


class Trainer:
    """Hold one training together; `fit` runs it.

    Args:
        config: The settings of the run; `devices` is a number.
        train: Training pairs at `config.size`.
        validation: Validation pairs at the same size.
        folder: Run folder; gets `best.weights.h5`, `state/` and `tensorboard/`.
        state: Where the run stopped; None begins a new one.
    """

    def __init__(
        self,
        config: TrainConfig,
        train: Pairs,
        validation: Pairs,
        folder: Path,
        *,
        state: TrainingState | None = None,
    ) -> None:
        if config.tensorboard:
            _check_tensorboard()
        keras.utils.set_random_seed(config.seed)
        if config.deterministic or on_cpu():
            make_deterministic()
        self.config = config
        self.folder = folder
        self.state = state
        self.parts = plan_parts(state.parts if state else (), self.done, config.epochs)
        self.validation = Batches(
            validation.images,
            validation.masks,
            batch_size=config.batch_size,
            shuffle=False,
        )
        self.policy = dtype_policy(config.precision)
        self.batches = Batches(
            train.images,
            train.masks,
            batch_size=config.batch_size,
            shuffle=True,
            seed=config.seed,
            process=this_process(),
        )
        resident = config.devices == 1 and fits_on_device(self.batches)
        self.source = ResidentBatches(self.batches) if resident else self.batches
        self.meter = ThroughputMeter(self.source)
        self.devices = int(config.devices)
        with spread_over(self.devices):
            self.augment = Augment(
                strength=config.strength,
                seed=config.seed,
                planes=Planes(
                    labels=config.network.labels,
                    partial=train.partial or validation.partial,
                ),
            )
            self.network = build_network(config.network, dtype=self.policy)
            self.segmenter = self._new_segmenter(resident=resident)

    def _new_segmenter(self, *, resident: bool) -> Segmenter:
        kind = ResidentSegmenter if resident else Segmenter
        segmenter = kind(self.network, self.augment)
        segmenter.build({})
        segmenter.compile(
            optimizer=build_optimizer(
                self.config, self.parts, steps_per_epoch=len(self.batches)
            ),
            # XLA on the CPU is slower than TensorFlow's own kernels
            jit_compile=False if on_cpu() and _backend_is("tensorflow") else "auto",
        )
        # now, or TensorFlow would trace the first step twice: to make these variables
        segmenter.optimizer.build(segmenter.trainable_variables)
        return segmenter

    @property
    def done(self) -> int:
        """Epochs that were done before this training."""
        return self.state.epoch if self.state else 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is left: all epochs are done, or patience has run out."""
        if self.done >= self.config.epochs:
            return True
        counts = self._counts.get(keras.callbacks.EarlyStopping.__name__, {})
        return 0 < self.config.patience <= (counts.get("wait") or 0)

    def resume(self) -> None:
        """Go back to where the run stopped.

        Raises:
            ModelError: If the saved state does not fit the settings.
        """
        if self.state is None:
            return
        try:
            load_snapshot(self.segmenter, self.state.weights)
        except (OSError, ValueError) as error:
            msg = (
                f"cannot resume: {self.state.weights} does not fit the run "
                f"({first_line(error)}). Start a new run."
            )
            raise ModelError(msg) from error
        # an epoch has more steps than it had if the batches were halved since
        steps = self.done * len(self.batches)
        self.segmenter.optimizer.iterations.assign(steps)
        restore_best(self.state, self.folder)

    def fit(self, score: Score, *listeners: TrainListener) -> None:
        """Train to the last epoch of the settings.

        Args:
            score: Scores the probabilities of the validation cases after each epoch.
            listeners: Told after each step, and after each epoch before its state is
                saved, in this order.

        Raises:
            OutOfMemoryError: If the device has too little memory for a batch.
            ConfigError: If another process of this training has gone.
            KeyboardInterrupt: Between two steps, if somebody asked for it.
        """
        spread = spread_over(self.devices)
        with others_watched(), memory_watched(), deferred() as deliver, spread:
            self.segmenter.fit(
                self.meter.timed,
                initial_epoch=self.done,
                epochs=self.config.epochs,
                callbacks=[
                    *self._callbacks(score, listeners),
                    StopRequests(deliver, len(self.source)),
                ],
                shuffle=False,  # the batches order themselves
                verbose=0,
            )

    def _callbacks(
        self, score: Score, listeners: Sequence[TrainListener]
    ) -> list[keras.callbacks.Callback]:
        """Return the callbacks; those after ValidationDice see its scores."""
        state = self.state
        best = BestWeights(
            self.folder,
            best=state.best if state else -math.inf,
            kept=state.best_weights if state else None,
            keep=self.config.keep,
        )
        optional = self._optional_callbacks()
        counters = Counters(optional, self._counts)
        return [
            EpochSeeds(self.batches, self.augment),
            FiniteLoss(),
            AverageWeights(_AVERAGED * self.config.epochs),
            ValidationDice(self.validation, score),
            best,
            *optional,
            counters,
            Reporter(listeners, len(self.batches) // len(self.source)),
            StateKeeper(self.folder / "state", best, counters, self.parts),
            self.meter,
        ]

    @property
    def _counts(self) -> Counts:
        """What the callbacks had counted; added epochs begin with fresh patience."""
        if self.state is None or self.parts != self.state.parts:
            return {}
        return self.state.counts

    def _optional_callbacks(self) -> list[keras.callbacks.Callback]:
        chosen: list[keras.callbacks.Callback] = []
        if self.config.schedule == "plateau":
            chosen.append(
                keras.callbacks.ReduceLROnPlateau(
                    monitor=VAL_DICE, mode="max", factor=0.5, patience=5
                )
            )
        if self.config.patience:
            chosen.append(
                keras.callbacks.EarlyStopping(
                    monitor=VAL_DICE, mode="max", patience=self.config.patience
                )
            )
        if self.config.tensorboard:
            folder = str(self.folder / "tensorboard")
            chosen.append(keras.callbacks.TensorBoard(folder, write_graph=False))
        return chosen


def build_optimizer(
    config: TrainConfig, parts: Sequence[Part], *, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Return AdamW with the schedule of the settings.

    Args:
        config: Settings.
        parts: Epochs that were planned together.
        steps_per_epoch: Steps of an epoch.

    References:
        Loshchilov, Hutter (2019), AdamW, https://doi.org/10.48550/arXiv.1711.05101
    """
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        rate = SmoothCosine(
            config.learning_rate, parts, steps_per_epoch=steps_per_epoch
        )
    return AdamW(rate, weight_decay=config.weight_decay, clipnorm=_CLIP_NORM)


def _backend_is(name: str) -> bool:
    return bool(keras.backend.backend() == name)


def _check_tensorboard() -> None:
    if importlib.util.find_spec("tensorboard") is None:
        msg = (
            "TensorBoard is not installed. Run: pip install 'lungcli[tensorboard]', "
            "or train without --tensorboard."
        )
        raise ConfigError(msg)
