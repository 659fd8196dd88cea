"""Masks that another tool or reader left in a folder, found by the name of a case."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.anatomy import Structure
from lungcli.arrays import LabelMap
from lungcli.data.mask_files import MASK_SUFFIXES, read_mask
from lungcli.errors import DatasetError, ImageError
from lungcli.system.cores import num_cores
from lungcli.system.files import printable
from lungcli.system.threads import in_order

_ENDINGS: Final = ("_mask", "_seg")  # the second as predict names DICOM-SEG


@dataclass(frozen=True, slots=True)
class MaskFolder:
    """Masks of a folder and all folders below it.

    Attributes:
        root: The folder.
        by_path: Path below the root, without suffix and `_mask` or `_seg`, to the file.
        by_stem: The last part of these to all files of that name.
    """

    root: Path
    by_path: Mapping[str, Path]
    by_stem: Mapping[str, tuple[Path, ...]]

    def find_all(self, cases: Mapping[str, Sequence[str]]) -> dict[str, Path]:
        """Return the file of each case that has one; no file belongs to two cases.

        Surer names are tried first, for all cases: the file of one is not taken for
        that of another with the same bare name.

        Args:
            cases: Name of the case to what its file may be called, the surest first: a
                path below the root, or a bare name, which may lie in any folder.

        Raises:
            DatasetError: If two files have the name of a case, or two cases that of a
                file.
        """
        found: dict[str, Path] = {}
        at_path = {name: (path,) for name, path in self.by_path.items()}
        for files in (at_path, self.by_stem):
            for rank in range(max(map(len, cases.values()), default=0)):
                wanted = {
                    case: names[rank]
                    for case, names in cases.items()
                    if case not in found and rank < len(names)
                }
                found |= _claim(files, wanted, taken=set(found.values()))
        return found


def open_masks(root: Path) -> MaskFolder:
    """List the masks in a folder, whatever folders they lie in.

    Hidden files and folders are left out; of two files that differ in their suffix
    alone, one is as good as the other and the first in the alphabet is taken.

    Raises:
        DatasetError: If there is no such folder, or no mask in it.
    """
    if not root.is_dir():
        msg = f"no folder {root}. Name one that holds masks as images."
        raise DatasetError(msg)
    by_path: dict[str, Path] = {}
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in _images_below(root):
        below = path.relative_to(root)
        stem = _stem(unicodedata.normalize("NFC", below.name))
        key = (below.parent / stem).as_posix()
        if key not in by_path:
            by_path[key] = path
            by_stem[stem].append(path)
    if not by_path:
        suffixes = ", ".join(MASK_SUFFIXES)
        msg = f"no masks in {root}. They may be {suffixes}."
        raise DatasetError(msg)
    return MaskFolder(
        root, by_path, {stem: tuple(paths) for stem, paths in by_stem.items()}
    )


def any_shows(paths: Iterable[Path], structure: Structure) -> bool:
    """Tell whether any of some masks shows a structure; what cannot be read does not.

    The first that does ends the search.
    """

    def shows(path: Path) -> bool:
        try:
            return bool((read_mask(path).labels == structure.label).any())
        except ImageError:
            return False

    with closing(in_order(shows, paths, num_cores())) as found:
        return any(found)


def read_labels(path: Path, shape: tuple[int, int] | None = None) -> LabelMap:
    """Read a mask of any usual encoding as label map.

    A file that does not tell the lungs apart is parted by where they lie.

    Args:
        path: The file.
        shape: Height and width that it must have; None takes any.

    Raises:
        ImageError: If it cannot be read, or has another shape.
    """
    raw = read_mask(path)
    if shape is not None and raw.labels.shape != shape:
        height, width = raw.labels.shape
        msg = (
            f"{path} has {width}×{height} pixels, its reference {shape[1]}×{shape[0]}. "
            "Scores hold on one pixel grid: have the mask written at the size of the "
            "X-ray."
        )
        raise ImageError(msg)
    return raw.with_sides()


def _claim(
    files: Mapping[str, Sequence[Path]], wanted: Mapping[str, str], *, taken: Set[Path]
) -> dict[str, Path]:
    """Return the files that cases have by one name each, of those not taken."""
    owners: dict[Path, str] = {}
    for case, name in wanted.items():
        free = [path for path in files.get(name, ()) if path not in taken]
        if len(free) > 1:
            msg = (
                f"{printable(free[0])} and {printable(free[1])} both are called "
                f"{name}. Name a folder that holds one of them."
            )
            raise DatasetError(msg)
        if free and free[0] in owners:
            msg = (
                f"{printable(free[0])} has the name of {owners[free[0]]} and of "
                f"{case}. Lay it below the folder of its case, as "
                f"{case}{free[0].suffix}."
            )
            raise DatasetError(msg)
        owners |= dict.fromkeys(free, case)
    return {case: path for path, case in owners.items()}


def _stem(name: str) -> str:
    """Return the name of a mask without its suffix, which may have two parts."""
    suffix = next(end for end in MASK_SUFFIXES if name.lower().endswith(end))
    stem = name[: -len(suffix)]
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    return stem


def _images_below(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(folder, name)
            for name in sorted(names)
            if name.lower().endswith(MASK_SUFFIXES) and not name.startswith(".")
        ]
    return found
