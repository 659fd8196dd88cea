"""Run lungcli, and let something happen to its machine in the middle of the work.

    python faults/meddle.py PATTERN COMMAND ARGUMENTS...

COMMAND is a line of shell that runs once: before the first file or folder is made,
opened, renamed or removed whose path holds PATTERN.
"""

import os
import sys
from typing import Any

_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.listdir", "os.scandir"}


class Meddler:
    """An audit hook that runs a command at the first path that fits.

    Args:
        pattern: Part of the path.
        command: Line of shell.
    """

    def __init__(self, pattern: str, command: str) -> None:
        self.pattern = pattern
        self.command = command
        self.done = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at one event of the interpreter."""
        if self.done or event not in _EVENTS or self.pattern not in str(arguments[0]):
            return
        self.done = True
        os.system(self.command)  # noqa: S605 - what this is for


def main() -> None:
    """Run lungcli with the hook."""
    pattern, command = sys.argv[1:3]
    sys.argv[1:] = sys.argv[3:]
    from lungcli.cli.start import main as run  # noqa: PLC0415 - not meddled with

    sys.addaudithook(Meddler(pattern, command))
    run()


if __name__ == "__main__":
    main()
