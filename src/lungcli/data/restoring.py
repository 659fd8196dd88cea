"""From the padded square back to the original pixel grid."""

import math
from collections.abc import Iterator
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.data.geometry import FILTER, Geometry

_T = TypeVar("_T", bound=np.generic)
_STRIP: Final = 128  # rows


def from_square(values: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    """Scale values on the square, at any side, back to the original grid.

    Probabilities are meant, not labels: thresholding after scaling gives a smooth
    contour at full resolution. The values' side may differ from `geometry.side`
    (a model works at its own size); the content box is then scaled as floats.

    Args:
        values: Shape `(s, s)` or `(s, s, channels)`.
        geometry: How the original lies in the square.

    Returns:
        Shape `(height, width)` or `(height, width, channels)`; no value outside
        the range of `values`.

    Raises:
        ValueError: If `values` is not square.
    """
    if values.ndim not in (2, 3) or values.shape[0] != values.shape[1]:
        msg = f"values of shape {values.shape} must be square: (s, s[, channels])."
        raise ValueError(msg)
    if values.ndim == 3:
        channels = [
            from_square(values[..., index], geometry)
            for index in range(values.shape[2])
        ]
        # channel by channel in memory: each is read on its own, and copying is slow
        return np.moveaxis(np.stack(channels), 0, -1)
    cropped, box = _content(values, geometry)
    image = Image.fromarray(np.ascontiguousarray(cropped, dtype=np.float32))
    resized = image.resize((geometry.width, geometry.height), FILTER, box=box)
    return np.array(resized, dtype=np.float32)


def from_square_within(
    values: NDArray[np.float32], geometry: Geometry, wanted: NDArray[np.bool_]
) -> Iterator[tuple[list[NDArray[np.float32]], tuple[slice, slice]]]:
    """Scale back only the part that matters, as `from_square` would, strip by strip.

    Most of the time of `from_square` on a large X-ray goes to memory: for what lies
    around the lungs, and for fresh pages where a strip's could be used again.

    Args:
        values: Shape `(s, s, channels)`.
        geometry: How the original lies in the square.
        wanted: Shape `(s, s)`; the pixels that matter.

    Yields:
        Each channel's values, shape `(rows, columns)`, in a box of the original grid,
        and the box. Together the boxes hold every pixel that a wanted one reaches
        into; without a wanted pixel there is none.
    """
    cropped, (left, top, right, bottom) = _content(values, geometry)
    inside, _ = _content(wanted, geometry)
    rows = _reach(np.flatnonzero(inside.any(axis=1)), top, bottom, geometry.height)
    columns = _reach(np.flatnonzero(inside.any(axis=0)), left, right, geometry.width)
    step_y = (bottom - top) / geometry.height
    step_x = (right - left) / geometry.width
    channels = [
        Image.fromarray(np.ascontiguousarray(channel, dtype=np.float32))
        for channel in np.moveaxis(cropped, -1, 0)
    ]
    for first in range(rows.start, rows.stop, _STRIP):
        last = min(first + _STRIP, rows.stop)
        size = (columns.stop - columns.start, last - first)
        source = (
            left + columns.start * step_x,
            top + first * step_y,
            left + columns.stop * step_x,
            top + last * step_y,
        )
        scaled = [
            np.asarray(channel.resize(size, FILTER, source)) for channel in channels
        ]
        yield scaled, (slice(first, last), columns)


def _reach(cells: NDArray[np.intp], start: float, stop: float, length: int) -> slice:
    """Return the pixels of one axis of the original that wanted cells reach into."""
    if not cells.size:
        return slice(0, 0)
    scale = length / (stop - start)
    # the triangle filter reaches one cell further, whichever grid is the coarser
    reach = max(1.0, 1.0 / scale)
    first = math.floor((cells[0] - reach - start) * scale)
    last = math.ceil((cells[-1] + 1 + reach - start) * scale)
    return slice(max(0, first), min(length, last))


def _content(
    values: NDArray[_T], geometry: Geometry
) -> tuple[NDArray[_T], tuple[float, float, float, float]]:
    """Return the pixels that the content box touches, and the box within them.

    Cropped, since the filter would otherwise reach into the padding, where a
    network may say anything.
    """
    scale = values.shape[0] / geometry.side
    top, left = geometry.top * scale, geometry.left * scale
    bottom = (geometry.top + geometry.content_height) * scale
    right = (geometry.left + geometry.content_width) * scale
    row, column = math.floor(top), math.floor(left)
    cropped = values[row : math.ceil(bottom), column : math.ceil(right)]
    lower = min(bottom - row, float(cropped.shape[0]))
    outer = min(right - column, float(cropped.shape[1]))
    return cropped, (left - column, top - row, outer, lower)
