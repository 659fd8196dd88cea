"""One process for each output folder: a second one is refused, by name.

The lock is the kernel's (`flock`), on a hidden file. A process that is killed loses it
with all its other files, so a lock is never stale, whatever the file says.
"""

import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from lungcli.errors import OutputError
from lungcli.system.files import beside, real_path
from lungcli.system.interrupts import deferred
from lungcli.system.urls import without_secrets

try:
    import fcntl
except ImportError:  # Windows: no locks, and no failure
    fcntl = None  # type: ignore[assignment]

LOCK: Final = ".lungcli.lock"  # in the folder
_MOST: Final = 4096  # bytes read of what the holder wrote
_TRIES: Final = 100  # to make a folder that others, who found it empty, remove


@contextmanager
def locked(
    path: Path, *, option: str = "--out", outside: bool = False
) -> Iterator[None]:
    """Keep other lungcli processes out of a folder while the block runs.

    Where the system or the file system has no locks, the block runs without one.
    Folders that are made here and stay empty are removed.

    Args:
        path: The folder, or a file.
        option: That the user may choose another one with.
        outside: Whether the lock lies beside the path: for what is replaced as a whole,
            and for files.

    Raises:
        OutputError: If another process has the lock, or the folder is not writable.
    """
    lock = beside(real_path(path), ".lock-") if outside else path / LOCK
    made = [p for p in (lock.parent, *lock.parent.parents) if not p.exists()]
    descriptor = None
    try:
        with deferred():  # a stop in between would leave the file
            descriptor = None if fcntl is None else _acquire(lock, path, option)
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                # first: who opens this file now finds that it is no longer there
                lock.unlink(missing_ok=True)
            os.close(descriptor)
        with suppress(OSError):  # one is not empty, as it should be
            for folder in made:
                folder.rmdir()


def _acquire(lock: Path, path: Path, option: str) -> int | None:
    """Return a descriptor that holds the lock; None where there are no locks."""
    while True:
        descriptor = _open(lock, path, option)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            msg = (
                f"{path} is in use by {holder}. Wait until it has ended, or choose "
                f"another place with {option}."
            )
            raise OutputError(msg) from error
        except OSError:  # some file systems have none
            os.close(descriptor)
            with suppress(OSError):
                lock.unlink(missing_ok=True)
            return None
        if _is_in_place(lock, descriptor):
            _write_holder(descriptor)
            return descriptor
        os.close(descriptor)  # its holder has just removed it: again, with a new one


def _open(lock: Path, path: Path, option: str) -> int:
    """Open the file in its folder."""
    try:
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):  # its folder was removed in between
                return _open_in_folder(lock)
        return _open_in_folder(lock)
    except OSError as error:
        msg = (
            f"cannot write {path} ({error.strerror}: {error.filename}). Check that the "
            "folder is writable and the disk has space, or choose another place with "
            f"{option}."
        )
        raise OutputError(msg) from error


def _open_in_folder(lock: Path) -> int:
    lock.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.open(lock, flags, 0o666)


def _is_in_place(lock: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _write_holder(descriptor: int) -> None:
    holder = {
        "pid": os.getpid(),
        "host": platform.node(),
        "command": shlex.join(["lungcli", *map(without_secrets, sys.argv[1:])]),
    }
    with suppress(OSError):  # a full disk: the lock holds all the same
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _read_holder(descriptor: int) -> str:
    try:
        holder: Any = json.loads(os.pread(descriptor, _MOST, 0))
        return f"process {holder['pid']} on {holder['host']} ({holder['command']})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # it is just writing it, or the file is somebody else's
        return "another process of lungcli"
