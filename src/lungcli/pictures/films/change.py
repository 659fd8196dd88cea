"""What changes from one frame of a film to the next."""

import numpy as np
from numpy.typing import NDArray

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
    rows = np.flatnonzero(changed.any(axis=1))
    columns = np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
