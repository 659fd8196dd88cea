"""Run lungcli, and kill it without warning before one of its file operations.

    python faults/killed.py NUMBER COUNT_FILE ARGUMENTS...

NUMBER counts the files that are opened for writing, renamed and removed, from 1; 0
kills nothing and writes how many there were into COUNT_FILE. A random moment in time
seldom falls between two file operations, where the harm would be done.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink"}
_WRITING = os.O_WRONLY | os.O_RDWR


class Killer:
    """An audit hook that counts what changes files, and kills at a number.

    Args:
        number: Of the operation that does not happen any more; 0 for none.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count one event of the interpreter."""
        writes = event == "open" and bool(int(arguments[2] or 0) & _WRITING)
        if not (writes or event in _CHANGES):
            return
        self.count += 1
        if self.count == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run lungcli with the hook."""
    number, count_file = int(sys.argv[1]), Path(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    from lungcli.cli.start import main as run  # noqa: PLC0415 - not counted

    killer = Killer(number)
    sys.addaudithook(killer)
    try:
        run()
    finally:
        count_file.write_text(str(killer.count))


if __name__ == "__main__":
    main()
