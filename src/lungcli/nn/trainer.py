"""One training: network, optimizer, callbacks, `fit`."""

import importlib.util
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lungcli.config import TrainConfig
from lungcli.errors import ConfigError, ModelError
from lungcli.nn.augment import Augment
from lungcli.nn.batches import Batches
from lungcli.nn.callbacks import (
    VAL_DICE,
    AverageWeights,
    BestWeights,
    EpochReporter,
    EpochSeeds,
    FiniteLoss,
    Logs,
    Score,
    StepReporter,
    ValidationDice,
)
from lungcli.nn.model_file import LOADING_ERRORS, first_line
from lungcli.nn.networks import build_network
from lungcli.nn.precision import dtype_policy, on_cpu
from lungcli.nn.resident import ResidentBatches, ResidentSegmenter, fits_on_device
from lungcli.nn.segmenter import Segmenter
from lungcli.nn.state import StateKeeper, TrainingState, load_state
from lungcli.nn.throughput import ThroughputMeter

_CLIP_NORM = 1.0
_WARM_UP = 0.05  # of all steps
_AVERAGED = 0.05  # of all epochs


@dataclass(frozen=True, slots=True)
class Pairs:
    """CXRs and label maps, each uint8 `(n, size, size, 1)`."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the trainer tells while it works.

    Attributes:
        score: Scores the probabilities of the validation cases after each epoch.
        on_step: Called with the step in its epoch, from 1, and the logs so far.
        on_epoch: Called with the epoch, from 1, and its logs.
    """

    score: Score
    on_step: Callable[[int, Logs], None]
    on_epoch: Callable[[int, Logs], None]


class Trainer:
    """Hold one training together; `fit` runs it.

    Args:
        config: The settings of the run.
        train: Training pairs at `config.size`.
        validation: Validation pairs at the same size.
        folder: Run folder; gets `best.weights.h5`, `state/` and `tensorboard/`.
    """

    def __init__(
        self, config: TrainConfig, train: Pairs, validation: Pairs, folder: Path
    ) -> None:
        if config.tensorboard:
            _check_tensorboard()
        keras.utils.set_random_seed(config.seed)
        self.config = config
        self.folder = folder
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
        )
        resident = fits_on_device(self.batches)
        self.source = ResidentBatches(self.batches) if resident else self.batches
        self.meter = ThroughputMeter(self.source)
        self.augment = Augment(strength=config.strength, seed=config.seed)
        self.network = build_network(config.network, dtype=self.policy)
        kind = ResidentSegmenter if resident else Segmenter
        self.segmenter = kind(self.network, self.augment)
        self.segmenter.build({})
        self.segmenter.compile(
            optimizer=build_optimizer(config, steps_per_epoch=len(self.batches)),
            # XLA on the CPU is slower than TensorFlow's own kernels
            jit_compile=False if on_cpu() and _backend_is("tensorflow") else "auto",
        )
        # now, or TensorFlow would trace the first step twice: to make these variables
        self.segmenter.optimizer.build(self.segmenter.trainable_variables)
        self.state: TrainingState | None = None

    def resume(self) -> int:
        """Go back to where the run in the folder stopped.

        Returns:
            The number of epochs that are done; 0 if none was.

        Raises:
            ModelError: If the saved state does not fit the settings.
        """
        self.state = load_state(self.folder / "state")
        if self.state is None:
            return 0
        try:
            with warnings.catch_warnings(action="ignore"):  # the error says it all
                self.segmenter.load_weights(self.state.weights)
        except LOADING_ERRORS as error:
            msg = (
                f"cannot resume: {self.state.weights} does not fit the run "
                f"({first_line(error)}). Start a new run."
            )
            raise ModelError(msg) from error
        return self.state.epoch

    def fit(self, hooks: Hooks) -> None:
        """Train to the last epoch of the settings."""
        self.segmenter.fit(
            self.meter.timed,
            initial_epoch=self.state.epoch if self.state else 0,
            epochs=self.config.epochs,
            callbacks=self._callbacks(hooks),
            shuffle=False,  # the batches order themselves
            verbose=0,
        )

    def _callbacks(self, hooks: Hooks) -> list[keras.callbacks.Callback]:
        """Return the callbacks; those after ValidationDice see its scores."""
        best = BestWeights(
            self.folder,
            best=self.state.best if self.state else -math.inf,
            keep=self.config.keep,
        )
        return [
            EpochSeeds(self.batches, self.augment),
            FiniteLoss(),
            StepReporter(hooks.on_step, len(self.batches) // len(self.source)),
            AverageWeights(_AVERAGED * self.config.epochs),
            ValidationDice(self.validation, hooks.score),
            best,
            *self._optional_callbacks(),
            EpochReporter(hooks.on_epoch),
            StateKeeper(self.folder / "state", best),
            self.meter,
        ]

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
    config: TrainConfig, *, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Return AdamW with the schedule of the settings.

    References:
        Loshchilov, Hutter (2019), AdamW, https://doi.org/10.48550/arXiv.1711.05101
    """
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        steps = config.epochs * steps_per_epoch
        warm_up = max(1, round(steps * _WARM_UP))
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(1, steps - warm_up),
            warmup_target=config.learning_rate,
            warmup_steps=warm_up,
        )
    return keras.optimizers.AdamW(
        rate, weight_decay=config.weight_decay, clipnorm=_CLIP_NORM
    )


def _backend_is(name: str) -> bool:
    return bool(keras.backend.backend() == name)


def _check_tensorboard() -> None:
    if importlib.util.find_spec("tensorboard") is None:
        msg = (
            "TensorBoard is not installed. Run: pip install 'lungcli[tensorboard]', "
            "or train without --tensorboard."
        )
        raise ConfigError(msg)
