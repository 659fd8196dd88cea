"""What the script `lungcli` starts: its imports take a moment, and can be stopped."""

import os
import sys


def main() -> None:
    """Run lungcli; Ctrl-C is no error, not even during the imports."""
    try:
        _open_streams()
        from lungcli.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        _forget_interrupts()


def _forget_interrupts() -> None:
    """Have Python end with the exit status, though it was interrupted.

    Where an interrupt came out of code that was text, as every dataclass is for a
    moment, CPython ends by SIGINT at last, whoever answered it, unless it runs another
    text.
    """
    exec("")  # noqa: S102 - nothing


def _open_streams() -> None:
    """Open what the caller has closed (`>&-`), or a file would be taken for it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor == number:
                setattr(sys, name, os.fdopen(descriptor, "w" if number else "r"))
            else:
                os.close(descriptor)
