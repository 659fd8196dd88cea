"""Connected parts and bounding boxes of masks.

The parts are those of `scipy.ndimage.label`, whose import takes a quarter of a second:
longer than all that `lungcli predict` does to one X-ray.
"""

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Mask


def label_components(mask: Mask) -> tuple[NDArray[np.int32], int]:
    """Number the parts of a mask whose pixels touch by an edge.

    Runs of pixels are joined with those they touch in the next row, and the parts are
    found on the graph of runs, which is far smaller than the image.

    Args:
        mask: Shape `(height, width)`.

    Returns:
        The part of each pixel, of the same shape: 0 outside, then 1, 2, ... in the
        order in which reading row by row meets them; and the number of parts.

    Examples:
        >>> label_components(np.array([[1, 0, 1], [1, 0, 1], [1, 1, 1]], bool))[1]
        1
    """
    height, width = mask.shape
    line = width + 1  # a column of background ends every run within its row
    padded = np.zeros((height, line), np.int8)
    padded[:, :width] = mask
    steps = np.diff(padded.ravel(), prepend=np.int8(0))
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    roots = _roots(len(begins), *_touching(begins, ends, line))
    names, numbers = np.unique(roots, return_inverse=True)
    labels = np.zeros(height * line, np.int32)
    labels[begins] = numbers + 1
    labels[ends] = -(numbers + 1)
    return np.cumsum(labels, dtype=np.int32).reshape(height, line)[:, :width], len(
        names
    )


def bounding_box(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box that holds a mask.

    Args:
        mask: Shape `(height, width)`.

    Returns:
        Slices that index arrays of this shape; empty ones for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def _touching(
    begins: NDArray[np.intp], ends: NDArray[np.intp], line: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of runs, one in each of two neighbouring rows, that overlap."""
    first = np.searchsorted(ends, begins + line, side="right")
    last = np.searchsorted(begins, ends + line, side="left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(begins)), counts)
    rank = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + rank


def _roots(
    count: int, one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return for each of `count` nodes the least one that it is connected with.

    Neighbouring trees are hooked on the smaller root and all paths are halved, until
    nothing changes.
    """
    roots = np.arange(count)
    while True:
        hooked = roots.copy()
        least = np.minimum(roots[one], roots[other])
        np.minimum.at(hooked, roots[one], least)
        np.minimum.at(hooked, roots[other], least)
        hooked = hooked[hooked]
        if np.array_equal(hooked, roots):
            return roots
        roots = hooked
