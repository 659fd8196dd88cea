"""Whether a folder may become a prepared data set: nothing else is ever deleted."""

from collections.abc import Iterable
from pathlib import Path

from lungcli.data.prepared import DATASET_JSON
from lungcli.errors import DatasetError


def check_replaceable(out: Path, force: bool) -> None:
    """Raise unless `out` is free, empty, or a prepared data set to be replaced.

    Raises:
        DatasetError: The message says what is there and what to do.
    """
    if out.exists() and not out.is_dir():
        msg = f"{out} is a file. Choose another folder with --out."
    elif out.is_dir() and Path.cwd().is_relative_to(out.resolve()):
        msg = f"{out} holds the current folder. Choose a folder of its own with --out."
    elif not out.is_dir() or not any(out.iterdir()):
        return
    elif not (out / DATASET_JSON).is_file():
        msg = (
            f"{out} holds other files and is no prepared data set, so it is not "
            "replaced. Choose another folder with --out."
        )
    elif not force:
        msg = (
            f"{out} holds a prepared data set already. Replace it with --force, or "
            "choose another folder with --out."
        )
    else:
        return
    raise DatasetError(msg)


def check_apart(out: Path, roots: Iterable[Path]) -> None:
    """Raise if writing to `out` would delete a source.

    Raises:
        DatasetError: If a source lies in `out`.
    """
    for root in roots:
        if root.resolve().is_relative_to(out.resolve()):
            msg = f"the source {root} lies in {out}. Choose another folder with --out."
            raise DatasetError(msg)
