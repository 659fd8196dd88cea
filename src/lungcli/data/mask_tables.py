"""Masks of many X-rays in one file: COCO JSON, and run lengths in a CSV table.

A file is opened once in a process. Of COCO all is in memory, which JSON leaves no way
around; of a table only where each row begins.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from lungcli.anatomy import BY_KEY, LUNGS
from lungcli.arrays import LabelMap, Mask
from lungcli.data.case import MaskEntry
from lungcli.data.mask_meaning import RawMask
from lungcli.data.run_lengths import checked_shape, coco_mask, row_runs_mask
from lungcli.data.structure_names import BOTH, meant_structure
from lungcli.errors import ImageError
from lungcli.system.documents import read_json
from lungcli.system.files import text_of_cell

_MOST_BYTES: Final = 2**31
_LONGEST_CELL: Final = 2**27  # characters; csv itself takes 2**17
_SEEN: Final = 2**16  # bytes that tell a file
_RUNS: Final = re.compile(r"[\d\s]*")
_HEIGHT, _WIDTH = "height", "width"
_MODEL_MADE: Final = "dice rca (mean)"  # CheXmask: masks that a network has drawn


class MaskTable(Protocol):
    """One such file."""

    names: tuple[str, ...]
    """What it calls its X-rays, in its order."""
    is_model_made: bool
    """Whether it says of itself that no person has drawn its masks."""

    def read(self, name: str) -> dict[str, Mask]:
        """Return the mask of each structure, by its key or `BOTH`.

        Raises:
            ValueError: If they are damaged.
        """
        ...


def looks_like_table(path: Path) -> bool:
    """Tell by the first bytes whether a file holds masks of many X-rays."""
    try:
        with path.open("rb") as file:
            start = file.read(_SEEN)
    except OSError:
        return False
    if path.suffix.lower() == ".json":
        return b'"images"' in start and (
            b'"categories"' in start or b'"annotations"' in start
        )
    text = start.decode("utf-8-sig", errors="replace")
    rows = csv.reader(text.splitlines(keepends=True))
    header, first = _next_row(rows) or [], _next_row(rows) or []
    return path.suffix.lower() == ".csv" and _has_runs(header, first)


def open_table(path: Path) -> MaskTable:
    """Open a file of masks; the last ones stay open in this process.

    Raises:
        ImageError: If it cannot be read, is damaged, or knows none of the structures.
    """
    try:
        status = path.stat()
        return _opened(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its name and permissions."
        raise ImageError(msg) from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise _damaged(path, error) from error


def read_entry(entry: MaskEntry) -> RawMask:
    """Read the masks of one X-ray.

    Raises:
        ImageError: If it is not in the file, or its masks are damaged.
    """
    table = open_table(entry.path)
    try:
        return _joined(table.read(entry.name))
    except OSError as error:
        msg = f"cannot read {entry.path}: {error.strerror}. Try it again."
        raise ImageError(msg) from error
    except (ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
        raise _damaged(entry.path, error, f" at {entry.name}") from error


@lru_cache(maxsize=2)
def _opened(path: Path, mtime_ns: int, size: int) -> MaskTable:
    del mtime_ns, size  # a file that was replaced is opened anew
    return Coco(path) if path.suffix.lower() == ".json" else RunLengths(path)


class Coco:
    """COCO's annotations: polygons or run lengths of each instance.

    References:
        Lin et al. (2014), ECCV, https://doi.org/10.1007/978-3-319-10602-1_48;
        https://cocodataset.org/#format-data
    """

    is_model_made = False

    def __init__(self, path: Path) -> None:
        document = read_json(path, most_bytes=_MOST_BYTES)
        self._keys = _keys_of(
            path, {each["id"]: str(each["name"]) for each in document["categories"]}
        )
        by_id: dict[Any, list[dict[str, Any]]] = {
            image["id"]: [] for image in document["images"]
        }
        for annotation in document.get("annotations", []):
            if annotation["category_id"] in self._keys:
                by_id[annotation["image_id"]].append(annotation)
        self._images = {
            str(image["file_name"]): (image, by_id[image["id"]])
            for image in document["images"]
        }
        self.names = tuple(self._images)

    def read(self, name: str) -> dict[str, Mask]:
        """Return the mask of each structure; several of one are joined."""
        image, annotations = self._images[name]
        shape = checked_shape(image[_HEIGHT], image[_WIDTH])
        masks = {key: np.zeros(shape, np.bool_) for key in self._keys.values()}
        for annotation in annotations:
            drawn = coco_mask(annotation["segmentation"], shape)
            masks[self._keys[annotation["category_id"]]] |= drawn
        return masks


class RunLengths:
    """A CSV table with a column of run lengths a structure, as CheXmask has them.

    The first column names the X-ray. Pixels are counted from 1, along the rows.

    References:
        Gaggion et al. (2024), Scientific Data 11:511,
        https://doi.org/10.1038/s41597-024-03358-1
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        rows = _rows(path, 0)
        _, header = next(rows)
        columns = [column.strip().lower() for column in header]
        self.is_model_made = _MODEL_MADE in columns
        self._size = columns.index(_HEIGHT), columns.index(_WIDTH)
        self._keys = _keys_of(path, dict(enumerate(columns)))
        self._starts = {text_of_cell(row[0]): start for start, row in rows if row}
        self.names = tuple(self._starts)

    def read(self, name: str) -> dict[str, Mask]:
        """Return the mask of each structure."""
        _, row = next(_rows(self._path, self._starts[name]))
        shape = checked_shape(*(int(float(row[column])) for column in self._size))
        return {
            key: row_runs_mask(row[column], shape) for column, key in self._keys.items()
        }


def _has_runs(header: list[str], row: list[str]) -> bool:
    """Tell a table of run lengths from others with a column `lungs`."""
    columns = [column.strip().lower() for column in header]
    pairs = zip(columns[1:], row[1:], strict=False)
    drawn = [cell for column, cell in pairs if meant_structure(column)]
    are_runs = bool(drawn) and all(map(_RUNS.fullmatch, drawn))
    return are_runs and {_HEIGHT, _WIDTH} <= set(columns)


def _keys_of(path: Path, names: Mapping[Any, str]) -> dict[Any, str]:
    """Return the structures that names mean, without what means none."""
    found = {at: meant_structure(name) for at, name in names.items()}
    keys = {at: key for at, key in found.items() if key is not None}
    if not keys:
        known = ", ".join((BOTH, *(each.name for each in BY_KEY.values())))
        msg = (
            f"{path} holds masks of {', '.join(map(str, names.values()))}, and lungcli "
            f"knows {known}. Rename the category that is meant."
        )
        raise ImageError(msg)
    return keys


def _rows(path: Path, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of a table and the byte where it begins, from one such byte on."""
    with path.open("rb") as file:
        file.seek(start)
        encoding = "utf-8" if start else "utf-8-sig"
        place = start

        def lines() -> Iterator[str]:
            nonlocal place
            for line in file:
                place += len(line)
                yield line.decode(encoding)

        reader = csv.reader(lines())
        while True:
            begin = place
            row = _next_row(reader)
            if row is None:
                return
            yield begin, row


def _next_row(reader: Iterator[list[str]]) -> list[str] | None:
    """Return the next row, however long its cells are; the limit is the process's."""
    usual = csv.field_size_limit(_LONGEST_CELL)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(usual)


def _joined(masks: Mapping[str, Mask]) -> RawMask:
    """Return one label map; what is drawn as lung and as another is the other's."""
    shape = next(iter(masks.values())).shape
    labels: LabelMap = np.zeros(shape, np.uint8)
    has_sides = BOTH not in masks or not masks[BOTH].any()
    if not has_sides:
        labels[masks[BOTH]] = LUNGS[0].label
    for key, structure in BY_KEY.items():
        if key in masks and (has_sides or structure not in LUNGS):
            labels[masks[key]] = structure.label
        elif key in masks:
            labels[masks[key]] = LUNGS[0].label
    return RawMask(labels, has_sides=has_sides and bool(labels.any()))


def _damaged(path: Path, error: Exception, where: str = "") -> ImageError:
    if isinstance(error, ImageError):
        return error
    return ImageError(
        f"{path} is damaged{where} ({type(error).__name__}: {error}). Export it again."
    )
