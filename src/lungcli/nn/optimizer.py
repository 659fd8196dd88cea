"""AdamW whose step is a few operations, not thousands.

Keras evaluates the schedule of the learning rate anew for each variable that decays,
and moves each variable by a dozen operations. For the 66 variables of the default
network TensorFlow traced them for several seconds, and then ran them in each step.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops


class _Step(NamedTuple):
    """What is the same for all variables of a step, as scalars."""

    rate: Any
    beta_1_power: Any
    beta_2_power: Any


class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, equal to it but for the rounding of float32.

    Args:
        learning_rate: A number or a schedule.
        weight_decay: Share of the rate by which weights shrink.
        clipnorm: Longest gradient of a variable; None clips nothing.

    References:
        Loshchilov, Hutter (2019), AdamW, https://doi.org/10.48550/arXiv.1711.05101
    """

    _step: _Step | None = None  # while it is applied

    def __init__(
        self, learning_rate: Any, *, weight_decay: float, clipnorm: float | None = None
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, clipnorm=clipnorm)

    @property
    def learning_rate(self) -> Any:
        """The rate of the current step."""
        return super().learning_rate if self._step is None else self._step.rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        # super() reads properties, but does not set them
        keras.optimizers.AdamW.learning_rate.fset(self, learning_rate)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None
    ) -> None:
        """Update the variables, with a rate that is evaluated once.

        Args:
            grads: A gradient for each variable.
            trainable_variables: Those that the optimizer was built with.
        """
        step = ops.cast(self.iterations + 1, "float32")
        rate = ops.convert_to_tensor(self.learning_rate, "float32")
        self._step = _Step(rate, self.beta_1**step, self.beta_2**step)
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._step = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a variable and its averages; on TensorFlow in one operation.

        Args:
            gradient: Clipped, float32.
            variable: Of the same shape, float32; on TensorFlow its own kind.
            learning_rate: Of the step.
        """
        if keras.backend.backend() != "tensorflow" or self._step is None:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self._step.beta_1_power,
            beta2_power=self._step.beta_2_power,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
