"""Ctrl-C and SIGTERM: the first is answered in order, the second ends at once."""

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Final, NoReturn, Self

INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
TERMINATED: Final = 143  # 128 + SIGTERM
_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)
_SAME: Final = 0.5  # seconds; `timeout` sends its signal to the child and to its group
_SHOW_CURSOR: Final = b"\x1b[?25h\n"


class StopSignals:
    """Make SIGTERM what Ctrl-C is, and a second signal the end; use it with `with`.

    Python handles a signal between two steps of its own, which a native call may keep
    it from for minutes. So a thread waits for the second one.
    """

    def __init__(self) -> None:
        self._first: int | None = None

    def __enter__(self) -> Self:
        """Take the signals over, except those that were ignored, as by `nohup`."""
        reader, self._writer = os.pipe()
        if hasattr(os, "set_blocking"):  # not on Windows, which does not ask for it
            os.set_blocking(self._writer, False)
        threading.Thread(target=_watch, args=(reader,), daemon=True).start()
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, self._stop)
            for number in _NUMBERS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._writer)  # which ends the thread
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def status(self) -> int:
        """The exit status of a command that was stopped."""
        return TERMINATED if self._first == signal.SIGTERM else INTERRUPTED

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._first is None:  # the second one is for the thread
            self._first = number
            raise KeyboardInterrupt


def _watch(reader: int) -> None:
    """End the process at the second signal; return when nobody writes any more."""
    first: float | None = None
    while numbers := os.read(reader, 64):
        came = [number for number in numbers if number in _NUMBERS]
        if came and first is None:
            first = time.monotonic()
        elif came and time.monotonic() - (first or 0.0) > _SAME:
            _end(128 + came[-1])
    os.close(reader)


def _end(status: int) -> NoReturn:
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)  # a progress bar hid it
    os._exit(status)
