"""How fast a training is, and what it waits for."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras

from lungcli.nn.batches import Batches
from lungcli.nn.resident import ResidentBatches

Clock = Callable[[], float]
Source = Batches | ResidentBatches


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What was measured; None where there was too little to measure.

    Attributes:
        images_per_second: Training images, while the epochs' training steps run.
        seconds_per_epoch: Mean with validation and all that is written. The first
            epoch, which compiles, counts only if it is the only one.
        input_share: Part in [0, 1] of the time of the training steps in which the
            device stood still for want of a batch.
    """

    images_per_second: float | None = None
    seconds_per_epoch: float | None = None
    input_share: float | None = None

    @property
    def limited_by(self) -> str | None:
        """What took more of the time, `input` or `computing`; None if unknown."""
        if self.input_share is None:
            return None
        return "input" if self.input_share > 0.5 else "computing"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a JSON document."""
        return {**asdict(self), "limited_by": self.limited_by}


class TimedBatches(keras.utils.PyDataset):
    """Hand batches on, and remember when each was made.

    Keras asks for a batch *inside* the call that also computes the step, so nothing
    outside can tell the two apart: not even the time between two steps.
    `Batches` are made ahead in threads, and the step waits only if its batch is late.
    `ResidentBatches` are made in the thread that trains, which can do nothing else
    meanwhile.

    Args:
        batches: What is handed on.
        clock: Returns seconds.
    """

    def __init__(self, batches: Source, clock: Clock) -> None:
        super().__init__(workers=batches.workers, max_queue_size=batches.max_queue_size)
        self._batches = batches
        self._clock = clock
        self._ready: dict[int, float] = {}  # made ahead, by other threads
        self._making = 0.0
        self._trains_in = 0  # thread

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[dict[str, Any]]:
        """Return batch number `index` of the current epoch."""
        began = self._clock()
        batch = self._batches[index]
        if threading.get_ident() == self._trains_in:
            self._making += self._clock() - began
        else:
            self._ready[index] = self._clock()
        return batch

    def begin_step(self) -> None:
        """Start to count what is made in the thread that trains, which is this one."""
        self._making = 0.0
        self._trains_in = threading.get_ident()

    def waited(self, index: int, began: float, ended: float) -> float:
        """Return how long a step waited for its batch, in seconds.

        Args:
            index: Number of the batch.
            began: When the step began, after `begin_step`.
            ended: When its results were there.
        """
        late = self._ready.get(index, began) - began
        return min(max(late, 0.0) + self._making, ended - began)


class ThroughputMeter(keras.callbacks.Callback):
    """Measure a training; must come last, to see what the other callbacks cost.

    The first step of all compiles and is left out.

    A step has ended when its callbacks are called, though JAX (and TensorFlow on a
    GPU) returns from a step before the device has done it: Keras turns the loss into
    a float first, which waits for the device. It would do so in another thread, and
    go on, only if no callback listened to single steps; this one does.

    Args:
        batches: The training batches; give `timed` to `fit` in their place.
        clock: Returns seconds; another one only in tests.
    """

    def __init__(self, batches: Source, *, clock: Clock = time.perf_counter) -> None:
        super().__init__()
        self.timed = TimedBatches(batches, clock)
        self._images_per_item = batches.images_per_item
        self._clock = clock
        self._compiled = False
        self._images = 0
        self._seconds = 0.0
        self._waited = 0.0
        self._epochs: list[float] = []

    @property
    def throughput(self) -> Throughput:
        """The figures so far."""
        epochs = self._epochs[1:] or self._epochs
        return Throughput(
            images_per_second=_ratio(self._images, self._seconds),
            seconds_per_epoch=_ratio(sum(epochs), len(epochs)),
            input_share=_ratio(self._waited, self._seconds),
        )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Start the clock; until the first step, Keras starts the generator."""
        del epoch, logs
        self._epoch_began = self._step_ended = self._clock()

    def on_train_batch_begin(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Note when the step begins."""
        del batch, logs
        self.timed.begin_step()
        self._step_began = self._clock()

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Count the step, and the time since the one before it."""
        del logs
        ended = self._clock()
        if self._compiled:
            self._images += self._images_per_item
            self._seconds += ended - self._step_ended
            self._waited += self._step_began - self._step_ended
            self._waited += self.timed.waited(batch, self._step_began, ended)
        self._compiled = True
        self._step_ended = ended

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note how long the epoch took."""
        del epoch, logs
        self._epochs.append(self._clock() - self._epoch_began)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
