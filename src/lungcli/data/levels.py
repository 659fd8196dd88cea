"""Gray values that lie close together are spread before an image is shrunk.

Shrinking averages pixels and rounds the mean to 8 bits. Of a chest that a converter
left with 16 gray values, the mean of four pixels would have 16 again; spread over the
whole range first, it has several times as many.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Gray

WIDE: Final = 128  # levels; what has as many is left alone
MARGIN: Final = 1 / 6  # of each side: borders, markers and plates lie there
_SHARES: Final = (0.005, 0.995)  # of the pixels: the 0.5th and 99.5th percentile
_ROOM: Final = 0.25  # of their distance, left on both sides for what lies beyond
_SAMPLE_SIDE: Final = 256  # pixels; they settle a percentile


def spread_levels(gray: Gray) -> Gray:
    """Stretch the gray values if those in the middle of the image lie close together.

    Their order stays; what lies far outside the range of the middle (a marker at full
    white beside a dark chest) becomes black or white.

    Args:
        gray: CXR, shape `(height, width)`.

    Returns:
        Same shape; `gray` itself if its values are far enough apart.
    """
    low, high = levels_of_middle(gray)
    if not 0 < high - low < WIDE:
        return gray
    room = _ROOM * (high - low)
    levels = (np.arange(256) - (low - room)) / (high - low + 2 * room)
    table: NDArray[np.uint8] = np.rint(255 * levels.clip(0, 1)).astype(np.uint8)
    return table[gray]


def levels_of_middle(gray: Gray) -> tuple[int, int]:
    """Return between which gray values nearly all of the middle lies.

    Args:
        gray: CXR, shape `(height, width)`.

    Returns:
        The 0.5th and the 99.5th percentile of the image without a sixth at each border.
    """
    counts = np.bincount(_middle(gray).ravel(), minlength=256).cumsum()
    # numpy.percentile sorts, which takes ten times as long
    low, high = np.searchsorted(counts, np.multiply(_SHARES, counts[-1]))
    return int(low), int(high)


def _middle(gray: Gray) -> Gray:
    rows, columns = (round(length * MARGIN) for length in gray.shape)
    inner = gray[rows : gray.shape[0] - rows, columns : gray.shape[1] - columns]
    stride = max(1, min(inner.shape) // _SAMPLE_SIDE)
    return inner[::stride, ::stride]
