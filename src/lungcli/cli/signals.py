"""Ctrl-C and SIGTERM: the first is answered in order, the second ends at once."""

import os
import signal
import socket
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
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        threading.Thread(target=self._watch, daemon=True).start()
        self._wakeup = signal.set_wakeup_fd(
            self._writer.fileno(), warn_on_full_buffer=False
        )
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
        self._writer.close()  # which ends the thread
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

    def _watch(self) -> None:
        first: float | None = None
        with self._reader:
            while numbers := self._reader.recv(64):
                came = [number for number in numbers if number in _NUMBERS]
                if came and first is None:
                    first = time.monotonic()
                elif came and time.monotonic() - (first or 0.0) > _SAME:
                    _end(128 + came[-1])


def _end(status: int) -> NoReturn:
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)  # a progress bar hid it
    os._exit(status)
