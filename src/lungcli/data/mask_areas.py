"""Areas of a mask file: which values have any, and which look like lungs."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lungcli.arrays import Mask

_LEAST_LUNG: Final = 0.01  # of the pixels
_COPY_SIDE: Final = 256  # pixels; enough to see what is an area and what a line
_LEAST_AREA: Final = 0.003  # of the pixels; of a value that means something
_LEAST_AREA_OF_FEW: Final = 0.1  # where there are few pixels
_LEAST_THICK: Final = 0.3  # of an area, after a line of pixels is taken off around it


def small_copy(codes: NDArray[Any]) -> NDArray[Any]:
    """Return a copy in which lines are thin and areas are not."""
    stride = max(1, min(codes.shape) // _COPY_SIDE)
    return codes[::stride, ::stride]


def thick_values(codes: NDArray[Any]) -> list[float]:
    """Return the values that are areas, no lines and no steps of smoothing."""
    copy = small_copy(codes)
    values, counts = np.unique(copy, return_counts=True)
    is_small = min(copy.shape) < _COPY_SIDE // 4  # too small for lines
    least = _LEAST_AREA_OF_FEW if is_small else _LEAST_AREA
    large = values[counts >= least * copy.size]
    if is_small:
        return [value.item() for value in large]
    return [value.item() for value in large if _is_thick(copy == value)]


def _is_thick(area: Mask) -> bool:
    inner = ndimage.binary_erosion(area, np.ones((3, 3)), border_value=1)
    return int(inner.sum()) >= _LEAST_THICK * int(area.sum())


def ground_of(codes: NDArray[Any]) -> float:
    """Return the value that most of the border has."""
    edges = np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]])
    values, counts = np.unique(edges, return_counts=True)
    found: float = values[counts.argmax()].item()
    return found


def are_one_lung_each(first: Mask, second: Mask) -> bool:
    """Tell whether two areas look like a lung each, side by side."""
    boxes = [_columns(area) for area in (first, second)]
    middles = [low + high for low, high in boxes]
    left, right = (boxes[at] for at in np.argsort(middles))
    overlap = left[1] - right[0]
    narrower = min(high - low for low, high in boxes)
    areas = sorted((int(first.sum()), int(second.sum())))
    return overlap < 0.3 * narrower and 4 * areas[0] >= areas[1]


def are_two_lungs(area: Mask) -> bool:
    """Tell whether an area has two large parts side by side, off the corners."""
    copy = small_copy(area)
    parts, number = ndimage.label(copy)
    if number < 2:
        return False
    sizes = np.bincount(parts.ravel())[1:]
    first, second = np.argsort(sizes)[-2:] + 1
    corners = {int(parts[y, x]) for y in (0, -1) for x in (0, -1)}
    large = min(sizes[first - 1], sizes[second - 1]) >= _LEAST_LUNG * copy.size
    alone = not corners & {int(first), int(second)}
    return bool(large and alone) and are_one_lung_each(parts == first, parts == second)


def _columns(area: Mask) -> tuple[int, int]:
    columns = np.flatnonzero(area.any(axis=0))
    return int(columns[0]), int(columns[-1]) + 1
