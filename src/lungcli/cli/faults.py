"""What the machine may refuse at any moment, in one line instead of a traceback."""

import errno
import os
from pathlib import Path
from typing import Final

_REMEDIES: Final = {
    errno.EACCES: "Check the permissions.",
    errno.EDQUOT: "Make room, or ask for a larger quota.",
    errno.EIO: "Check the disk: reading or writing it fails.",
    errno.ELOOP: "Links lead in a circle: name the file or folder itself.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENFILE: "Close other programs: the system has too many files open.",
    errno.ENOMEM: "Close other programs, or work on less at a time.",
    errno.ENOSPC: "Make room, or set TMPDIR to a place that has some.",
    errno.EROFS: "Write to another place.",
    errno.ESTALE: "Mount the network disk again.",
}


def fault_of_machine(error: OSError | MemoryError) -> str | None:
    """Return what the machine lacks, and the remedy; None if the error is a bug.

    Errors of the user's files were given their own words where they arose. What comes
    this far came unexpectedly: a disk that is full, a network disk that went away.
    """
    if isinstance(error, MemoryError):
        return f"there is not enough memory. {_REMEDIES[errno.ENOMEM]}"
    if isinstance(error, FileNotFoundError) and not _stands_somewhere():
        return "the current folder no longer exists. Change to another one."
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    where = error.filename
    named = isinstance(where, str | bytes)
    place = Path(os.fsdecode(where)) if named else "standard output or temporary file"
    return f"{error.strerror}: {place}. {remedy}"


def _stands_somewhere() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False
