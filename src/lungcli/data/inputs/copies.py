"""Private copies of X-rays that no library can read where they lie."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from lungcli.data.inputs.kinds import SUFFIXES
from lungcli.errors import OutputError


@contextmanager
def private_copy(name: str, shown: str) -> Iterator[Path]:
    """Yield an empty file that only this user can read; removed at the end.

    Nothing is ever written under a name that a stranger chose, but for the suffix,
    which tells libraries the format, where it is one of an X-ray.

    Args:
        name: Of the X-ray.
        shown: What messages call it.

    Raises:
        OutputError: If there is no room for it.
    """
    suffix = PurePosixPath(name).suffix
    known = suffix if suffix.lower() in SUFFIXES else ""
    with room_for(shown):
        number, copy = tempfile.mkstemp(known, prefix="lungcli-")
    os.close(number)
    try:
        yield Path(copy)
    finally:
        Path(copy).unlink(missing_ok=True)


@contextmanager
def room_for(shown: str) -> Iterator[None]:
    """Say what to do where the disk of temporary files is full."""
    try:
        yield
    except OSError as error:
        msg = (
            f"cannot unpack {shown} for a moment ({error.strerror}). Free "
            "space for temporary files, or set TMPDIR to a folder that has it."
        )
        raise OutputError(msg) from error
