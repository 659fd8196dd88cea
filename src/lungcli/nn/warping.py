"""Arithmetic of the augmentation on whole images: warps, smooth fields, boxes.

Nothing here draws at random, so that XLA can compile it (`nn.fused`). Shapes leave the
channel away: an image is `(batch, side, side)`, a number per image `(batch, 1, 1)`.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy.ndimage import zoom

_SHRUNK: Final = 4  # pixels that one becomes, in height and in width


def coordinates(side: int, draws: dict[str, Any]) -> tuple[Any, Any]:
    """Return where each output pixel comes from.

    Args:
        side: Of the image, in pixels.
        draws: `angle` in radians; `scale`, `aspect` as natural logarithms; `shear`;
            `shift` in pixels `(2, batch, 1, 1)`; `bend` in pixels
            `(2, batch, knots, knots)`.

    Returns:
        Source row and column in pixels, each float32 `(batch, side, side)`.
    """
    centre = (side - 1) / 2.0
    axis = ops.arange(side, dtype="float32") - centre
    y = axis[None, :, None] * ops.exp(-draws["scale"] - draws["aspect"])
    x = axis[None, None, :] * ops.exp(-draws["scale"] + draws["aspect"])
    x += draws["shear"] * y
    cos, sin = ops.cos(draws["angle"]), ops.sin(draws["angle"])
    rows = cos * y + sin * x + draws["shift"][0] + field(draws["bend"][0], side)
    columns = cos * x - sin * y + draws["shift"][1] + field(draws["bend"][1], side)
    return rows + centre, columns + centre


def sample_bilinear(pixels: Any, rows: Any, columns: Any) -> Any:
    """Read images between their pixels.

    Args:
        pixels: float32 `(batch, height, width)`.
        rows: Where to read, in pixels, float32 `(batch, rows, columns)`; pixel
            centres are whole numbers.
        columns: The same, across.

    Returns:
        float32, of the shape of `rows`; 0 outside.
    """
    height, width = pixels.shape[1:3]
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = rows - top, columns - left
    first = ops.arange(ops.shape(pixels)[0], dtype="int32") * (height * width)
    flat = ops.reshape(pixels, (-1,))

    def at(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row = ops.cast(ops.clip(row, 0, height - 1), "int32")
        column = ops.cast(ops.clip(column, 0, width - 1), "int32")
        values = ops.take(flat, first[:, None, None] + row * width + column)
        return values * ops.cast(inside, "float32")

    upper = at(top, left) * (1.0 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right
    return upper * (1.0 - down) + lower * down


def field(knots: Any, side: int) -> Any:
    """Spread knots `(batch, n, n)` to a smooth field `(batch, side, side)`."""
    spread = ops.convert_to_tensor(_spread(knots.shape[-1], side))
    return ops.matmul(ops.matmul(spread, knots), ops.transpose(spread))


def low_resolution(image: Any) -> Any:
    """Return the image as it looks after it was shrunk and enlarged."""
    shrink, enlarge = map(ops.convert_to_tensor, _shrink(image.shape[1]))
    small = ops.matmul(ops.matmul(shrink, image), ops.transpose(shrink))
    return ops.matmul(ops.matmul(enlarge, small), ops.transpose(enlarge))


def box(side: int, top: Any, bottom: Any, left: Any, right: Any) -> Any:
    """Return 1 inside borders that are given in shares of the side, 0 outside."""
    axis = (ops.arange(side, dtype="float32") + 0.5) / side
    y, x = axis[None, :, None], axis[None, None, :]
    return ops.cast((y > top) & (y < bottom) & (x > left) & (x < right), "float32")


@cache
def _spread(knots: int, side: int) -> NDArray[np.float32]:
    """Return the matrix `(side, knots)` of cubic spline weights."""
    weights: NDArray[np.float64] = zoom(
        np.eye(knots), (side / knots, 1), mode="nearest", grid_mode=True
    )
    return weights.astype(np.float32)


@cache
def _shrink(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the matrices that average pixels, and interpolate between."""
    small = max(1, side // _SHRUNK)
    owner = np.arange(side) * small // side
    shrink = np.equal.outer(np.arange(small), owner).astype(np.float32)
    shrink /= shrink.sum(axis=1, keepdims=True)
    enlarge: NDArray[np.float64] = zoom(
        np.eye(small), (side / small, 1), order=1, mode="nearest", grid_mode=True
    )
    return shrink, enlarge.astype(np.float32)
