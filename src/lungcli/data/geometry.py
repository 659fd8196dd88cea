"""From any pixel grid to a padded square and back.

The aspect is kept: the whole image is scaled into a content box, centred in a black
square. Both directions map box onto box, edge to edge, so nothing drifts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import BACKGROUND, IGNORE, LUNGS, STRUCTURES
from lungcli.arrays import LEFT, RIGHT, Gray, LabelMap, Mask, is_lung

# The triangle filter, widened when shrinking: antialiased, and never overshoots.
FILTER = Image.Resampling.BILINEAR
_BESIDE_LUNGS = (*(each.label for each in STRUCTURES if each not in LUNGS), IGNORE)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where an image lies in its square, in pixels.

    Attributes:
        height: Rows of the original grid.
        width: Columns of the original grid.
        side: Side of the square.
        top: First row of the content box in the square.
        left: First column of the content box in the square.
        content_height: Rows of the content box.
        content_width: Columns of the content box.
    """

    height: int
    width: int
    side: int
    top: int
    left: int
    content_height: int
    content_width: int


def fit_square(height: int, width: int, side: int) -> Geometry:
    """Place a grid in a square of the given side, longer edge to full length.

    Args:
        height: Rows of the original grid, at least 1.
        width: Columns of the original grid, at least 1.
        side: Side of the square in pixels, at least 1.

    Returns:
        The geometry; the content box is centred, an odd pixel goes below or right.

    Raises:
        ValueError: If an argument is less than 1.

    Examples:
        >>> fit_square(4020, 4892, 512)
        Geometry(height=4020, width=4892, side=512, top=45, left=0, \
content_height=421, content_width=512)
    """
    if min(height, width, side) < 1:
        msg = f"height {height}, width {width} and side {side} must be at least 1."
        raise ValueError(msg)
    longer = max(height, width)
    content_height = max(1, round(height * side / longer))
    content_width = max(1, round(width * side / longer))
    return Geometry(
        height=height,
        width=width,
        side=side,
        top=(side - content_height) // 2,
        left=(side - content_width) // 2,
        content_height=content_height,
        content_width=content_width,
    )


def to_square(gray: Gray, geometry: Geometry) -> Gray:
    """Scale a CXR into its square, antialiased, with black around it.

    Args:
        gray: CXR on the original grid, shape `(height, width)`.
        geometry: From `fit_square` with that height and width.

    Returns:
        Shape `(side, side)`.

    Raises:
        ValueError: If `gray` is not on the geometry's grid.
    """
    _check_grid(gray, geometry)
    content = _resize(gray, geometry.content_height, geometry.content_width)
    return _pad(content, geometry)


def labels_to_square(labels: LabelMap, geometry: Geometry) -> LabelMap:
    """Scale a label map into its square by the share of each pixel that is lung.

    A pixel is lung if at least half of it is, and belongs to the lung with the
    larger share; nearest-neighbour sampling would shift and fray the contour. It has
    another label if it is no lung, and at least half of it has that label.

    Args:
        labels: Label map on the original grid, shape `(height, width)`.
        geometry: From `fit_square` with that height and width.

    Returns:
        Shape `(side, side)`; background around the content box.

    Raises:
        ValueError: If `labels` is not on the geometry's grid.
    """
    _check_grid(labels, geometry)
    content = _resize_labels(labels, geometry.content_height, geometry.content_width)
    return _pad(content, geometry)


def content_of(square: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    """Cut the padding off: the whole image as it was stored, in its own aspect.

    Args:
        square: CXR or label map, shape `(geometry.side, geometry.side)`.
        geometry: How the original lies in the square.

    Returns:
        View of shape `(content_height, content_width)`.
    """
    rows = slice(geometry.top, geometry.top + geometry.content_height)
    columns = slice(geometry.left, geometry.left + geometry.content_width)
    return square[rows, columns]


def resize_square(gray: Gray, side: int) -> Gray:
    """Resize a square CXR, antialiased.

    Args:
        gray: Shape `(s, s)`.
        side: New side in pixels.

    Returns:
        Shape `(side, side)`; `gray` itself if it has that side.
    """
    return gray if gray.shape == (side, side) else _resize(gray, side, side)


def resize_labels(labels: LabelMap, side: int) -> LabelMap:
    """Resize a square label map by the share of each pixel that is lung.

    Args:
        labels: Shape `(s, s)`.
        side: New side in pixels.

    Returns:
        Shape `(side, side)`; `labels` itself if it has that side.
    """
    if labels.shape == (side, side):
        return labels
    return _resize_labels(labels, side, side)


def _check_grid(array: NDArray[np.uint8], geometry: Geometry) -> None:
    if array.shape != (geometry.height, geometry.width):
        msg = (
            f"an array of shape {array.shape} is not on the geometry's grid of "
            f"{geometry.height}×{geometry.width} pixels."
        )
        raise ValueError(msg)


def _resize(values: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if values.shape == (height, width):
        return values
    return np.array(Image.fromarray(values).resize((width, height), FILTER))


def _resize_labels(labels: LabelMap, height: int, width: int) -> LabelMap:
    if labels.shape == (height, width):
        return labels
    lung = _share(is_lung(labels), height, width)
    right = _share(labels == RIGHT, height, width)
    side = np.where(right >= lung - lung // 2, np.uint8(RIGHT), np.uint8(LEFT))
    resized = np.where(lung >= 128, side, np.uint8(BACKGROUND))
    for label in _BESIDE_LUNGS:
        drawn = labels == label
        if drawn.any():
            fills = _share(drawn, height, width) >= 128
            resized[fills & (resized == BACKGROUND)] = label
    return resized


def _share(mask: Mask, height: int, width: int) -> NDArray[np.uint8]:
    """Return how much of each pixel of another grid a mask fills; 255 is all."""
    return _resize(np.where(mask, np.uint8(255), np.uint8(0)), height, width)


def _pad(content: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    square = np.zeros((geometry.side, geometry.side), np.uint8)
    rows = slice(geometry.top, geometry.top + geometry.content_height)
    columns = slice(geometry.left, geometry.left + geometry.content_width)
    square[rows, columns] = content
    return square
