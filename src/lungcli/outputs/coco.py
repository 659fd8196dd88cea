"""Masks as COCO annotations, for the tools of general computer vision.

Masks are compressed run lengths, which pycocotools and the libraries on top of it
decode as they are. Pixels run down the columns there.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import LUNGS, Structure
from lungcli.arrays import Mask
from lungcli.masks.regions import bounding_box
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.run_length import COLUMN_MAJOR, run_bounds
from lungcli.system.files import whole_file

_SEPARATOR: Final = b",\n"


@dataclass(frozen=True, slots=True)
class CocoEntry:
    """One CXR of the file, numbered when it is written.

    Attributes:
        image: Its entry in the list of images, but for the number.
        annotations: One a structure, but for the numbers.
    """

    image: dict[str, Any]
    annotations: list[dict[str, Any]]


def write_coco(
    entries: Iterable[CocoEntry], path: Path, structures: Sequence[Structure] = LUNGS
) -> Path:
    """Write the structures of all CXRs as one COCO JSON file, and return `path`.

    One CXR is in memory at a time: annotations wait in a temporary file until the
    images, which COCO lists apart, are written.

    Args:
        entries: Read once, one at a time; images are numbered from 1 in their order.
        path: The file; parent folders are made. Whole or not at all.
        structures: What was looked for: the categories, whose ids are the labels.

    Raises:
        OutputError: If the file cannot be written.
    """
    places = {each.label: place for place, each in enumerate(structures, start=1)}
    with (
        whole_file(path) as part,
        part.open("wb") as file,
        tempfile.TemporaryFile(dir=path.parent) as waiting,
    ):
        file.write(b'{"categories":%b,\n"images":[' % _json(_categories(structures)))
        for number, entry in enumerate(entries, start=1):
            file.write(_SEPARATOR if number > 1 else b"")
            file.write(_json({"id": number, **entry.image}))
            for annotation in entry.annotations:
                place = places[annotation["category_id"]]
                ids = {
                    "id": len(places) * (number - 1) + place,
                    "image_id": number,
                }
                waiting.write(_SEPARATOR + _json({**ids, **annotation}))
        file.write(b'],\n"annotations":[')
        waiting.seek(len(_SEPARATOR))
        shutil.copyfileobj(waiting, file)
        file.write(b"]}\n")
    return path


def coco_entry(xray: LabelledXray) -> CocoEntry:
    """Return a CXR as COCO lists it: the right lung, then the left, then others.

    A structure that is not there has no annotation. `bbox` is x, y, width and height;
    `area` counts pixels.

    References:
        Lin et al. (2014), ECCV, https://doi.org/10.1007/978-3-319-10602-1_48;
        https://cocodataset.org/#format-data
    """
    height, width = xray.labels.shape
    annotations = []
    for structure in xray.structures:
        mask = xray.labels == structure.label
        if mask.any():
            annotations.append(
                {
                    "category_id": structure.label,
                    "segmentation": encode_mask(mask),
                    "area": int(np.count_nonzero(mask)),
                    "bbox": _box(mask),
                    "iscrowd": 0,
                }
            )
    image = {"file_name": str(xray.name), "height": height, "width": width}
    return CocoEntry(image, annotations)


def _categories(structures: Sequence[Structure]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.label,
            "name": each.name,
            "supercategory": each.code.meaning.lower(),
        }
        for each in structures
    ]


def encode_mask(mask: Mask) -> dict[str, Any]:
    """Encode a mask as COCO's compressed run lengths.

    Args:
        mask: Boolean `(height, width)`.

    Returns:
        `size`, which is height and width, and `counts`, ASCII text.

    Examples:
        >>> encode_mask(np.array([[False, True], [False, True]]))
        {'size': [2, 2], 'counts': '22'}
    """
    lengths = _run_lengths(mask).tolist()
    # From the fourth on, each is written as its difference to the last but one.
    before = [0, 0, 0, *lengths[1:-2]]
    counts = "".join(
        _number(length - last) for length, last in zip(lengths, before, strict=False)
    )
    return {"size": list(mask.shape), "counts": counts}


def _run_lengths(mask: Mask) -> NDArray[np.int64]:
    """Return the lengths of the runs of 0 and 1 by turns, down the columns."""
    bounds = run_bounds(mask, COLUMN_MAJOR).ravel()
    lengths = np.diff(bounds, prepend=0, append=mask.size)
    return lengths if lengths[-1] else lengths[:-1]


def _number(value: int) -> str:
    """Write a signed number as letters of 5 bits, the lowest first."""
    letters = []
    while True:
        bits = value & 0b11111
        value >>= 5
        if value == (-1 if bits & 0b10000 else 0):
            letters.append(chr(48 + bits))
            return "".join(letters)
        letters.append(chr(48 + (bits | 0b100000)))


def _box(mask: Mask) -> list[int]:
    rows, columns = bounding_box(mask)
    sides = (columns.stop - columns.start, rows.stop - rows.start)
    return [columns.start, rows.start, *sides]


def _json(item: Any) -> bytes:
    return json.dumps(item, separators=(",", ":"), allow_nan=False).encode()
