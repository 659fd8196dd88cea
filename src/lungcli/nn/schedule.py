"""The learning rate: up, down to 0, and on without a jump if epochs are added."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import keras
from keras import ops

WARM_UP: Final = 0.05  # of the steps that were planned at first
_PI: Final = 3.141592653589793


class Part(NamedTuple):
    """Epochs that were planned together: those of `train`, then of each extension.

    Attributes:
        begin: Epochs that were done before.
        end: Epochs in all, at its end.
    """

    begin: int
    end: int


def plan_parts(before: Sequence[Part], done: int, epochs: int) -> tuple[Part, ...]:
    """Return the parts of a run that ends after `epochs`.

    Args:
        before: Parts of the run so far; none for a new one.
        done: Epochs that are done.
        epochs: Epochs in all that are wanted now.

    Examples:
        >>> plan_parts([], 0, 40)
        (Part(begin=0, end=40),)
        >>> plan_parts([Part(0, 40)], 25, 40)
        (Part(begin=0, end=40),)
        >>> plan_parts([Part(0, 40)], 40, 60)
        (Part(begin=0, end=40), Part(begin=40, end=60))
    """
    if not done:
        return (Part(0, epochs),)
    if before[-1].end == epochs or epochs <= done:
        return tuple(before)
    kept = [part for part in before if part.begin < done]
    return (*kept, Part(done, epochs))


class SmoothCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then half a cosine down to 0.

    Where a run is given more epochs, or fewer, while it is under way or when it is
    over, the rate goes on from where it stands: what is left of it falls by half a
    cosine, and up to half of the highest rate is added as a wave that begins and ends
    at 0. It has no jump: one would undo what was learned.

    Args:
        highest: The rate at the end of the warm-up.
        parts: Epochs that were planned together, in order.
        steps_per_epoch: Steps of an epoch.

    References:
        Loshchilov, Hutter (2017), SGDR, https://doi.org/10.48550/arXiv.1608.03983
    """

    def __init__(
        self, highest: float, parts: Sequence[Part], *, steps_per_epoch: int
    ) -> None:
        super().__init__()
        self.highest = highest
        self.parts = tuple(parts)
        self.steps_per_epoch = steps_per_epoch
        steps = self.parts[0].end * steps_per_epoch
        warm_up = max(1, round(steps * WARM_UP))
        self._first = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0,
            decay_steps=max(1, steps - warm_up),
            warmup_target=highest,
            warmup_steps=warm_up,
        )
        # the rate at the begin of each later part, by all parts before it
        self._at_begin: list[float] = []
        for part in self.parts[1:]:
            self._at_begin.append(float(self(part.begin * steps_per_epoch)))

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0 over the whole run."""
        step = ops.cast(step, "float32")
        rate = self._first(step)
        for part, at_begin in zip(self.parts[1:], self._at_begin, strict=False):
            begin, end = (epoch * self.steps_per_epoch for epoch in part)
            share = ops.clip((step - begin) / (end - begin), 0.0, 1.0)
            falling = at_begin * (1.0 + ops.cos(_PI * share)) / 2.0
            wave = max(0.0, self.highest / 2.0 - at_begin)
            later = falling + wave * ops.square(ops.sin(_PI * share))
            rate = ops.where(step >= begin, later, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return what it was made of."""
        return {
            "highest": self.highest,
            "parts": self.parts,
            "steps_per_epoch": self.steps_per_epoch,
        }
