"""Whole files or none: everything is written beside its name, then renamed."""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from lungcli.errors import OutputError

Cell = str | int | float | None  # of a CSV file
_FORMULA: Final = re.compile("'*[=+@-]")  # apostrophes of its own included
_LONGEST: Final = 255  # bytes of a name, on all common file systems
_INVISIBLE: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]"
)
PART: Final = ".part-"  # in front of the name: the suffix tells libraries the format


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` if the block ends without error.

    Parent folders are made. Its permissions are what the umask leaves. The temporary
    file is there, new and empty: a link that somebody else has put in its place is
    removed, not followed.

    Args:
        path: The file.
        durable: Whether it must survive a loss of power right after: waits for the
            disk, which takes milliseconds.

    Raises:
        OutputError: If the file cannot be written.
    """
    part = beside(path, PART)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(exist_ok=False)
        try:
            yield part
            if durable:
                _wait_for_disk(part)  # or the name could outlive the content
            part.replace(path)
            if durable:
                _wait_for_disk(path.parent)
        finally:
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write UTF-8 text, whole or not at all; see `whole_file`."""
    with whole_file(path, durable=durable) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(
    path: Path, document: Mapping[str, Any], *, durable: bool = False
) -> None:
    """Write a JSON document for people and programs; NaN is a bug, not a value."""
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    write_text(path, text, durable=durable)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file, whole or not at all, to stay.

    Raises:
        OutputError: If it cannot be written.
    """
    with whole_file(path, durable=True) as part:
        shutil.copyfile(source, part)


def real_path(path: Path) -> Path:
    """Return where a path leads, links followed; those in a circle are left as is.

    `Path.resolve` raises for them what is no OSError, before Python 3.13.
    """
    return Path(os.path.realpath(path))


def make_folder(path: Path) -> None:
    """Make a folder and its parents, if they are not there.

    Raises:
        OutputError: If it cannot be made.
    """
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file, if there is one.

    Raises:
        OutputError: If it cannot be removed.
    """
    with _explained(path), suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` at the end.

    An existing folder stays whole until the new one is complete; a leftover of an
    interrupted call is removed. Where `path` is a link, what it points to is
    replaced.

    Raises:
        OutputError: If the folder cannot be written.
    """
    place = real_path(path)
    part, old = beside(place, PART), beside(place, ".old-")
    with _explained(path):
        place.parent.mkdir(parents=True, exist_ok=True)
        _bring_back(old, place)  # an earlier call was killed between the two renames
        for leftover in (part, old):
            _remove(leftover)
        part.mkdir()
        try:
            yield part
            if place.exists():
                place.rename(old)
            part.rename(place)
        finally:
            _bring_back(old, place)
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def beside(path: Path, mark: str) -> Path:
    """Return a hidden path next to another one, of the same suffixes.

    Args:
        path: A file or folder.
        mark: What the name begins with, a dot first. The rest is the name of the path,
            cut and made unique if it were longer than file systems allow.

    Examples:
        >>> beside(Path("run/best.weights.h5"), ".part-").name
        '.part-best.weights.h5'
        >>> beside(Path("x" * 251 + ".png"), ".part-").name
        '.part-ae1bc6dcdea343d5-xxxxxxxxxxxxxxxxxxxxxxxxxxxx.png'
    """
    name = f"{mark}{path.name}"
    if len(os.fsencode(name)) > _LONGEST:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
        name = f"{mark}{digest[:16]}-{path.name[-32:]}"
    return path.with_name(name)


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Read a whole file that should be small; never a pipe or a device.

    Args:
        path: The file.
        most_bytes: A larger file is not read.

    Raises:
        OSError: If it cannot be read, or is no plain file.
        ValueError: If it is larger.
    """
    # A pipe would wait for a writer, and a device may never end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "a folder, a pipe or a device, not a file")
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        large = most_bytes >= 2**20
        limit = f"{most_bytes >> 20} MiB" if large else f"{most_bytes >> 10} KiB"
        msg = f"larger than {limit}"
        raise ValueError(msg)
    return content


def printable(text: str | Path) -> str:
    r"""Spell out what does not show as itself: file names come from strangers.

    That is what is not UTF-8, control characters, by which a name could command a
    terminal or add a line, and those that turn the direction of what follows.

    References:
        Boucher, Anderson (2023), Trojan Source, USENIX Security,
        https://doi.org/10.48550/arXiv.2111.00169

    Examples:
        >>> printable(os.fsdecode(b"caf\xe9.png")), printable("\x1b]0;title\x07\n")
        ('caf\\udce9.png', '\\x1b]0;title\\x07\\n')
    """
    shown = _INVISIBLE.sub(_spelled, str(text))
    return shown.encode(errors="backslashreplace").decode()


def _spelled(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def csv_cell(value: Cell) -> str | int | float:
    """Return what a CSV file holds for a value.

    Unknown numbers (None, NaN) are empty. Text that a spreadsheet would run as a
    formula gets an apostrophe in front: file names come from strangers.

    References:
        OWASP, CSV Injection,
        https://owasp.org/www-community/attacks/CSV_Injection

    Examples:
        >>> csv_cell("=1+1"), csv_cell(-0.5), csv_cell(float("nan"))
        ("'=1+1", -0.5, '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        text = printable(value)
        return f"'{text}" if _FORMULA.match(text) else text
    return value


def text_of_cell(cell: str) -> str:
    """Return the text that `csv_cell` has written.

    Examples:
        >>> text_of_cell("'=1+1"), text_of_cell("'n'")
        ('=1+1', "'n'")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _wait_for_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(leftover: Path) -> None:
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover)
    else:
        leftover.unlink(missing_ok=True)


def _bring_back(old: Path, path: Path) -> None:
    if old.exists() and not path.exists():
        old.rename(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename if error.filename is not None else path
        msg = (
            f"cannot write {path} ({reason}: {where}). Check that the folder is "
            "writable and the disk has space, or choose another place with --out."
        )
        raise OutputError(msg) from error
