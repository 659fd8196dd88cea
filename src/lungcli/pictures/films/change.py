"""What changes from one frame of a film to the next."""

import numpy as np
from numpy.typing import NDArray

from lungcli.masks.regions import bounding_box

Box = tuple[slice, slice]  # rows, columns


def changed_pixels(
    before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Return where two frames differ, shape `(height, width)`."""
    return np.asarray(np.atleast_3d(before != after).any(axis=-1))


def changed_box(changed: NDArray[np.bool_]) -> Box:
    """Return the smallest box around all that changed; one pixel if nothing did.

    A film has a frame for each moment, also where two frames are equal, and no format
    takes a frame without a pixel.
    """
    return bounding_box(changed) if changed.any() else (slice(0, 1), slice(0, 1))
