"""Where the runs of a mask begin and end: what CSV and COCO masks are made of."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Mask
from lungcli.masks.regions import bounding_box

ROW_MAJOR: Final = "row"
COLUMN_MAJOR: Final = "column"
Order = Literal["row", "column"]


def run_bounds(mask: Mask, order: Order) -> NDArray[np.int64]:
    """Find the runs of True in a mask laid out as one line.

    Args:
        mask: Boolean `(height, width)`.
        order: Whether the line follows the rows or the columns.

    Returns:
        Start and end (exclusive) of each run, counted from 0, shape `(num_runs, 2)`,
        in ascending order; two runs never touch.

    Examples:
        >>> mask = np.array([[False, True, True], [True, False, False]])
        >>> run_bounds(mask, "row")
        array([[1, 4]])
        >>> run_bounds(mask, "column")
        array([[1, 3],
               [4, 5]])
    """
    height, width = mask.shape
    top, left, part = _lit_part(mask)
    axis = 1 if order == ROW_MAJOR else 0
    changes = np.diff(part, axis=axis, prepend=False, append=False)
    rows, columns = np.divmod(np.flatnonzero(changes), changes.shape[1])
    rows, columns = rows + top, columns + left
    along_rows, along_columns = rows * width + columns, columns * height + rows
    bounds = along_rows if order == ROW_MAJOR else along_columns
    # A run that goes on in the next line has just ended where it begins again.
    positions, counts = np.unique(bounds, return_counts=True)
    runs: NDArray[np.int64] = positions[counts == 1].astype(np.int64).reshape(-1, 2)
    return runs


def _lit_part(mask: Mask) -> tuple[int, int, Mask]:
    """Return the top, the left side and the pixels of the bounding box."""
    box = bounding_box(mask)
    return box[0].start, box[1].start, mask[box]
