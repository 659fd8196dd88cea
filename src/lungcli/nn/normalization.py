"""What a network sees of the gray values: their ranks among those of the chest.

Scanners, converters and display windows change gray values in ways that keep their
order and little else. So the first layer of a network replaces each gray value by the
share of darker pixels in the middle of the picture, which no such change can touch, and
puts beside it the value itself, stretched between two percentiles of the same middle.
What lies at the edge (borders, shutters, markers, name plates) is in neither.

The layer is part of the network: training, prediction and every exported file have it.

References:
    Gonzalez, Woods (2018), Digital Image Processing, 4th ed., 3.3 (equalization)
"""

from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lungcli.nn.fused import fused

LEVELS: Final = 256  # of an 8-bit image
MARGIN: Final = 1 / 6  # of the content's sides that is left out, at each border
PERCENTILES: Final = (0.01, 0.99)  # of the middle that become 0 and 1
_SAMPLES: Final = 128  # across the square, at most; they settle the histogram
_NIBBLE: Final = 16  # LEVELS is its square


@keras.saving.register_keras_serializable("lungcli")
class CentralEqualization(keras.layers.Layer):
    """Replace gray values by what no monotone change of them can change.

    Of an image in [0, 1], rounded to 8 bits, the *content* is what lies within the
    first and the last row and column that are not of one gray value, so that padding
    and plain borders do not count; the *middle* is the content without a sixth at each
    border.

    Input shape:
        `(batch, side, side, 1)`, in [0, 1].

    Output shape:
        `(batch, side, side, 2)`, float32 in [0, 1]: share of the middle's pixels that
        are darker (equal ones count half); value stretched from the 1st to the 99th
        percentile of the middle, clipped.
    """

    def __init__(self, **kwargs: Any) -> None:
        # float32: bfloat16 has fewer steps than 8 bits
        super().__init__(**{**kwargs, "dtype": "float32"})

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape of the two channels."""
        return (*input_shape[:-1], 2)

    def call(self, image: Any, training: bool = False) -> Any:
        """Normalize a batch."""
        # exported graphs cannot hold what XLA compiles
        function = _normalize_fused if training else normalize
        return ops.stop_gradient(function(image[..., 0]))


def draw_ranks(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the first channel as pictures, for people.

    Args:
        images: CXRs, uint8 `(n, side, side)`.
    """
    both = ops.convert_to_numpy(normalize(images / np.float32(LEVELS - 1)))
    ranks: NDArray[np.uint8] = np.rint(both[..., 0] * (LEVELS - 1)).astype(np.uint8)
    return ranks


def normalize(image: Any) -> Any:
    """Return both channels `(batch, side, side, 2)` of images `(batch, side, side)`."""
    levels = ops.round(ops.clip(image, 0.0, 1.0) * (LEVELS - 1))
    step = max(1, image.shape[1] // _SAMPLES)
    sample = levels[:, ::step, ::step]
    counts = _histogram(sample, _middle(sample))
    below = ops.matmul(counts, ops.convert_to_tensor(_below()))
    total = ops.sum(counts, axis=1, keepdims=True)
    # a middle of one gray value shows nothing: its rank would be gray, and is black
    shows = ops.cast(ops.max(counts, axis=1, keepdims=True) < total, "float32")
    ranks = shows * below / ops.maximum(total, 1.0)
    tables = ops.stack([ranks, _stretched(ranks)], axis=-1)
    return _look_up(tables, ops.cast(levels, "int32"))


_normalize_fused = fused(normalize)


def _stretched(ranks: Any) -> Any:
    """Return each level's place between the percentiles, `(batch, LEVELS)`."""
    low, above = (
        ops.sum(ops.cast(ranks < share, "float32"), axis=1, keepdims=True)
        for share in PERCENTILES
    )
    high = above - 1.0  # the last level below, as `low` is the first that is not
    levels = ops.arange(LEVELS, dtype="float32")[None]
    return ops.clip((levels - low) / ops.maximum(high - low, 1.0), 0.0, 1.0)


def _middle(levels: Any) -> Any:
    """Return 1 in the middle of each image's content, 0 elsewhere.

    Padding goes first: beside it, a border of another gray value is no constant row.
    """
    unpadded = _box(_extent(ops.max(levels, axis=2)), _extent(ops.max(levels, axis=1)))
    highest = levels * unpadded
    lowest = levels + (1.0 - unpadded) * LEVELS
    rows = ops.max(highest, axis=2) - ops.min(lowest, axis=2)
    columns = ops.max(highest, axis=1) - ops.min(lowest, axis=1)
    return _box(_extent(rows, MARGIN), _extent(columns, MARGIN))


def _box(rows: Any, columns: Any) -> Any:
    return rows[:, :, None] * columns[:, None, :]


def _extent(values: Any, margin: float = 0.0) -> Any:
    """Return 1 from the first to the last value above 0, less a margin at both ends.

    Args:
        values: `(batch, side)`; if none is above 0, all count as such.
        margin: Share of that extent.
    """
    side = values.shape[1]
    above = ops.cast(values > 0, "float32")
    above = ops.maximum(above, 1.0 - ops.max(above, axis=1, keepdims=True))
    axis = ops.arange(side, dtype="float32")[None]
    last = ops.max(above * (axis + 1.0), axis=1, keepdims=True)
    first = side - ops.max(above * (side - axis), axis=1, keepdims=True)
    least = first + margin * (last - first)
    most = last - margin * (last - first)
    return ops.cast((axis + 0.5 > least) & (axis + 0.5 < most), "float32")


def _histogram(levels: Any, weights: Any) -> Any:
    """Return the weight of each level, `(batch, LEVELS)`.

    The product of two narrow one-hot codes takes a sixteenth of one wide code's memory.
    """
    levels = ops.reshape(levels, (-1, levels.shape[1] * levels.shape[2], 1))
    weights = ops.reshape(weights, (-1, levels.shape[1], 1))
    digits = ops.arange(_NIBBLE, dtype="float32")[None, None, :]
    upper = ops.floor(levels / _NIBBLE)
    high = ops.cast(ops.equal(upper, digits), "float32") * weights
    low = ops.cast(ops.equal(levels - upper * _NIBBLE, digits), "float32")
    counts = ops.matmul(ops.transpose(high, (0, 2, 1)), low)
    return ops.reshape(counts, (-1, LEVELS))


def _look_up(tables: Any, indices: Any) -> Any:
    """Return `tables[b, indices[b, ...]]`, a pair for each index."""
    # counted by a sum: who checks an exported graph could not know a range's length
    number = ops.cumsum(ops.cast(tables[:, 0, 0] > -1.0, "float32")) - 1.0
    first = ops.cast(number * LEVELS, "int32")
    flat = ops.reshape(tables, (-1, tables.shape[-1]))
    return ops.take(flat, first[:, None, None] + indices, axis=0)


def _below() -> NDArray[np.float32]:
    """Return what turns counts into numbers of darker pixels; equal ones count half."""
    return (np.triu(np.ones((LEVELS, LEVELS)), 1) + np.eye(LEVELS) / 2).astype("f4")
