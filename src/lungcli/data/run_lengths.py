"""Masks from polygons and run lengths, as COCO and CheXmask write them.

`outputs.coco` and `outputs.rle` write what is read here.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Mask
from lungcli.data.opening import MAX_PIXELS

_BASE: Final = 48  # of COCO's letters, which have 5 bits and one for "goes on"
_BITS: Final = 5


def checked_shape(height: int, width: int) -> tuple[int, int]:
    """Return a shape that an X-ray may have.

    Raises:
        ValueError: If none may.
    """
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        msg = f"an image of {width}×{height} pixels"
        raise ValueError(msg)
    return height, width


def coco_mask(segmentation: Any, shape: tuple[int, int]) -> Mask:
    """Return the mask of an annotation: polygons, or run lengths down the columns.

    Raises:
        ValueError, TypeError, KeyError: If it is damaged.
    """
    if isinstance(segmentation, dict):
        if tuple(segmentation["size"]) != shape:
            msg = f"a mask of {segmentation['size']} on an image of {list(shape)}"
            raise ValueError(msg)
        counts = segmentation["counts"]
        return _of_counts(
            _numbers(counts) if isinstance(counts, str) else counts, shape
        )
    from skimage.draw import polygon2mask  # noqa: PLC0415 - few files need it

    mask: Mask = np.zeros(shape, np.bool_)
    for polygon in segmentation:
        columns, rows = np.asarray(polygon, np.float64).reshape(-1, 2).T
        # COCO counts from the corner of the first pixel, scikit-image from its middle.
        mask |= polygon2mask(shape, np.column_stack([rows, columns]) - 0.5)
    return mask


def _of_counts(counts: Any, shape: tuple[int, int]) -> Mask:
    """Return the mask of runs of 0 and 1 by turns, down the columns."""
    lengths: NDArray[np.int64] = np.asarray(counts, np.int64)
    if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != np.prod(shape):
        msg = "run lengths that do not make up the image"
        raise ValueError(msg)
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(shape, order="F")


def _numbers(text: str) -> list[int]:
    """Read COCO's letters: 5 bits each, the lowest first, the next to last one's sign.

    From the fourth number on each is the difference to the last but one.
    """
    numbers: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii"):
        bits = letter - _BASE
        if not 0 <= bits < 2 ** (_BITS + 1):
            msg = f"the letter {chr(letter)!r} in run lengths"
            raise ValueError(msg)
        value |= (bits & 0b11111) << shift
        shift += _BITS
        if bits & 0b100000:
            continue
        if bits & 0b10000:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return numbers


def row_runs_mask(text: str, shape: tuple[int, int]) -> Mask:
    """Return the mask of starts, from 1 along the rows, and lengths.

    Raises:
        ValueError: If they lead out of the image.
    """
    pairs = np.array(text.split(), np.int64).reshape(-1, 2)
    mask: Mask = np.zeros(shape[0] * shape[1], np.bool_)
    ends = pairs[:, 0] - 1 + pairs[:, 1]
    if pairs.size and (pairs.min() < 1 or ends.max() > mask.size):
        msg = "run lengths beyond the image"
        raise ValueError(msg)
    for start, end in zip(pairs[:, 0] - 1, ends, strict=True):
        mask[start:end] = True
    return mask.reshape(shape)
