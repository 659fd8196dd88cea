"""Ctrl-C and SIGTERM, put off until nothing is half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], object]


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Put signals off to the end of the block, or to the next call of what is yielded.

    Only those that Python code handles; what ends the process without a word still
    does. Outside the main thread there is nothing to put off.

    Yields:
        A function that delivers the signal that came, if one did.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    came: list[int] = []
    before: dict[int, _Handler] = {}
    for number in _NUMBERS:
        handler = signal.getsignal(number)
        if callable(handler):
            before[number] = handler
            signal.signal(number, lambda which, _: came.append(which))

    def deliver() -> None:
        if came:
            which = came[0]
            came.clear()
            before[which](which, None)

    try:
        yield deliver
    finally:
        for taken, handler in before.items():
            signal.signal(taken, handler)
        deliver()
