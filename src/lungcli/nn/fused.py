"""One kernel for a chain of small operations, where the backend makes many."""

import functools
import platform
import sys
from collections.abc import Callable
from typing import Any

import keras

from lungcli.nn.precision import on_cpu


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors as a whole.

    XLA makes convolutions slower on a processor, so the step as a whole runs without
    it. But where each pixel passes through dozens of cheap operations it goes through
    memory once, and is several times faster than operation by operation. JAX compiles
    the whole step anyway. Where Keras would let XLA compile nothing, neither does this.

    Args:
        function: Of tensors only, and without random draws; gradients pass through.
            It should return one tensor: of several, XLA stores what they share.
    """
    if keras.backend.backend() != "tensorflow" or sys.platform == "win32":
        return function  # TensorFlow for Windows comes without XLA
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

    compiled = tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*tensors: Any) -> Any:
        return compiled(*tensors) if _xla_works() else function(*tensors)

    return call


def _xla_works() -> bool:
    """Tell what Keras' `model_supports_jit` tells of TensorFlow.

    At each call, since determinism is switched on after the imports. What XLA compiles
    for a processor is deterministic anyway.
    """
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend
    from tensorflow.python.framework import config  # noqa: PLC0415 - not public

    apple = platform.system() == "Darwin" and "arm" in platform.processor().lower()
    if apple and tf.config.list_physical_devices("GPU"):
        return False
    return on_cpu() or not config.is_op_determinism_enabled()
