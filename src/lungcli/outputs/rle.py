"""Masks as run-length encoded text in a CSV table, as the CheXmask database has them.

Pixels are counted from 1 along the rows; `"3 2 7 1"` is the pixels 3, 4 and 7.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.arrays import LEFT, RIGHT, Mask
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.run_length import ROW_MAJOR, run_bounds
from lungcli.system.files import csv_cell, whole_file

COLUMNS: Final = ("image_id", "Left Lung", "Right Lung", "Height", "Width")
"""Header of the table, as in CheXmask; left and right are the patient's."""


@dataclass(frozen=True, slots=True)
class RleRow:
    """One CXR of the table, its fields in the order of `COLUMNS`.

    Attributes:
        image_id: The name of the CXR below the output folder.
        left_lung: The patient's left lung, as `encode_mask` writes it.
        right_lung: The patient's right lung.
        height: Number of rows.
        width: Number of columns.
    """

    image_id: str
    left_lung: str
    right_lung: str
    height: int
    width: int


def rle_row(xray: LabelledXray) -> RleRow:
    """Encode the lungs of one CXR."""
    height, width = xray.labels.shape
    return RleRow(
        image_id=str(xray.name),
        left_lung=encode_mask(xray.labels == LEFT),
        right_lung=encode_mask(xray.labels == RIGHT),
        height=height,
        width=width,
    )


def write_rle(rows: Iterable[RleRow], path: Path) -> Path:
    """Write a table of CXRs, whole or not at all, and return `path`.

    Args:
        rows: Read once, one at a time.
        path: The CSV file; parent folders are made.

    Raises:
        OutputError: If the file cannot be written.
    """
    with (
        whole_file(path) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow(
                (
                    csv_cell(row.image_id),
                    row.left_lung,
                    row.right_lung,
                    row.height,
                    row.width,
                )
            )
    return path


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
