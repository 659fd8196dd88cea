"""Tell whether a device had too little memory, whatever the backend calls it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import keras

_SAID: Final = ("RESOURCE_EXHAUSTED", "OUT OF MEMORY", "OUT_OF_MEMORY", "OOM WHEN")


class OutOfMemoryError(Exception):
    """The device, or the computer, has too little memory for a training."""


@contextmanager
def memory_watched() -> Iterator[None]:
    """Give the errors of all backends one name.

    Raises:
        OutOfMemoryError: If the block raised what says that memory was short.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(_reason(error)) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether this is how a backend says that memory was short.

    TensorFlow raises `ResourceExhaustedError`, or an `InternalError` where CUDA ran out
    of it; JAX a `RuntimeError` whose message begins with the status; NumPy and Python
    a `MemoryError`.
    """
    if isinstance(error, MemoryError):
        return True
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "ResourceExhaustedError" in kinds:
        return True
    if not kinds & {"RuntimeError", "OpError"}:
        return False
    return _says_it(str(error))


def _reason(error: Exception) -> str:
    """Return the line that says it; TensorFlow begins with where it happened."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    return next(filter(_says_it, lines), first).strip()[:200]


def _says_it(text: str) -> bool:
    return any(words in text.upper() for words in _SAID)


def free_memory() -> None:
    """Give back what a training that failed still holds; drop all references first."""
    keras.backend.clear_session()
    gc.collect()
