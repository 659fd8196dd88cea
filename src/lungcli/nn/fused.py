"""One kernel for a chain of small operations, where the backend makes many."""

import sys
from collections.abc import Callable
from typing import Any

import keras


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors as a whole.

    XLA makes convolutions slower on a processor, so the step as a whole runs without
    it. But where each pixel passes through dozens of cheap operations it goes through
    memory once, and is several times faster than operation by operation. JAX compiles
    the whole step anyway.

    Args:
        function: Of tensors only, and without random draws; gradients pass through.
            It should return one tensor: of several, XLA stores what they share.
    """
    if keras.backend.backend() != "tensorflow" or sys.platform == "win32":
        return function  # TensorFlow for Windows comes without XLA
    import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

    compiled: Callable[..., Any] = tf.function(function, jit_compile=True)
    return compiled
