"""Whether a folder may become a prepared data set: nothing else is ever deleted."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lungcli.data.prepared import is_prepared
from lungcli.errors import DatasetError

_ELSEWHERE: Final = "Choose another folder with --out."


def check_replaceable(out: Path, force: bool) -> None:
    """Raise unless `out` is free, empty, or a prepared data set to be replaced.

    Raises:
        DatasetError: The message says what is there and what to do.
    """
    try:
        problem = _problem(out, force)
    except OSError as error:
        problem = f"{out} cannot be used: {error.strerror}. {_ELSEWHERE}"
    if problem:
        raise DatasetError(problem)


def check_apart(out: Path, roots: Iterable[Path]) -> None:
    """Raise if writing to `out` would delete a source.

    Raises:
        DatasetError: If a source lies in `out`.
    """
    for root in roots:
        if _lies_in(root, out):
            msg = f"the source {root} lies in {out}. {_ELSEWHERE}"
            raise DatasetError(msg)


def _problem(out: Path, force: bool) -> str:
    if out.exists() and not out.is_dir():
        return f"{out} is a file. {_ELSEWHERE}"
    if _lies_in(Path.cwd(), out):
        return f"{out} holds the current folder. {_ELSEWHERE}"
    if not out.exists() or not any(out.iterdir()):
        return ""
    if not is_prepared(out):
        return (
            f"{out} holds other files and is no prepared data set, so it is not "
            f"replaced. {_ELSEWHERE}"
        )
    if not force:
        return (
            f"{out} holds a prepared data set already. Replace it with --force, or "
            "choose another folder with --out."
        )
    return ""


def _lies_in(path: Path, folder: Path) -> bool:
    # Path.resolve raises on a link to itself.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
