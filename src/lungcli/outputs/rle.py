"""Masks as run-length encoded text in a CSV table, as the CheXmask database has them.

Pixels are counted from 1 along the rows; `"3 2 7 1"` is the pixels 3, 4 and 7.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.anatomy import LUNGS, STRUCTURES, Structure
from lungcli.arrays import Mask
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.run_length import ROW_MAJOR, run_bounds
from lungcli.system.files import csv_cell, whole_file

RleRow = Mapping[str, str | int]
"""One CXR of the table: `image_id`, `left_lung`, `right_lung`, `heart` and the like,
`height`, `width`.

The name of the CXR below the output folder; of each structure that was looked for what
`encode_mask` writes; the numbers of rows and columns.
"""

_ORDER: Final = (*reversed(LUNGS), *STRUCTURES[len(LUNGS) :])


def columns(structures: Sequence[Structure] = LUNGS) -> tuple[str, ...]:
    """Return the header of the table, as in CheXmask; left and right are the patient's.

    Examples:
        >>> columns()
        ('image_id', 'Left Lung', 'Right Lung', 'Height', 'Width')
    """
    names = (each.name.title() for each in _ORDER if each in structures)
    return ("image_id", *names, "Height", "Width")


def rle_row(xray: LabelledXray) -> RleRow:
    """Encode the structures of one CXR."""
    height, width = xray.labels.shape
    masks = {
        _field(each.name): encode_mask(xray.labels == each.label)
        for each in _ORDER
        if each in xray.structures
    }
    return {"image_id": str(xray.name), **masks, "height": height, "width": width}


def write_rle(
    rows: Iterable[RleRow], path: Path, structures: Sequence[Structure] = LUNGS
) -> Path:
    """Write a table of CXRs, whole or not at all, and return `path`.

    Args:
        rows: Read once, one at a time.
        path: The CSV file; parent folders are made.
        structures: What was looked for.

    Raises:
        OutputError: If the file cannot be written.
        KeyError: If a row lacks one of these.
    """
    header = columns(structures)
    with (
        whole_file(path) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        for row in rows:
            table.writerow([csv_cell(row[_field(column)]) for column in header])
    return path


def _field(column: str) -> str:
    return column.lower().replace(" ", "_")


def encode_mask(mask: Mask) -> str:
    """Encode a mask as start and length of each run, from 1, along the rows.

    Args:
        mask: Boolean `(height, width)`.

    Returns:
        Numbers with single spaces between; empty for an empty mask.

    References:
        Gaggion et al. (2024), Scientific Data 11:511,
        https://doi.org/10.1038/s41597-024-03358-1

    Examples:
        >>> encode_mask(np.array([[False, False, True], [True, False, True]]))
        '3 2 6 1'
    """
    runs = run_bounds(mask, ROW_MAJOR)
    pairs = np.column_stack([runs[:, 0] + 1, runs[:, 1] - runs[:, 0]])
    return " ".join(map(str, pairs.ravel().tolist()))
