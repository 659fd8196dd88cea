"""How images of more than 8 bits are stretched to 8: pictures and DICOM alike."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PERCENTILES: Final = (0.1, 99.9)
_SAMPLE_SIDE: Final = 1024  # pixels; a million values settle a percentile


def sampled(image: NDArray[Any]) -> NDArray[Any]:
    """Return pixels of a grid over an image that settle its percentiles."""
    stride = max(1, min(image.shape) // _SAMPLE_SIDE)
    return image[::stride, ::stride].ravel()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A linear stretch from `low` to `high`."""

    low: float
    high: float

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return levels in [0, 1]; 0 if the ends are equal."""
        if self.high <= self.low:
            return np.zeros(values.shape)
        return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)


def percentile_stretch(
    values: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> Stretch:
    """Return the stretch of an image of more than 8 bits.

    It runs from the 0.1 to the 99.9 percentile of what lies strictly between the
    smallest and the largest value: collimation borders and padding sit exactly on the
    one, burnt-in letters on the other, and neither should squeeze the tissue between
    them.

    From a histogram, because an image has fewer different values than pixels.

    Args:
        values: Any order, shape `(n,)`.
        counts: How many pixels have each, shape `(n,)`; not all 0.
    """
    present = counts > 0
    order = np.argsort(values[present], kind="stable")
    values, counts = values[present][order], counts[present][order]
    inner = (values > values[0]) & (values < values[-1])
    if not inner.any():
        return Stretch(float(values[0]), float(values[-1]))
    last = np.cumsum(counts[inner])
    ranks = np.divide(_PERCENTILES, 100.0) * (last[-1] - 1)
    below = values[inner][np.searchsorted(last, np.floor(ranks), side="right")]
    above = values[inner][np.searchsorted(last, np.ceil(ranks), side="right")]
    low, high = below + (ranks - np.floor(ranks)) * (above - below)
    if high <= low:
        low, high = values[0], values[-1]
    return Stretch(float(low), float(high))
