"""Array types and what their numbers mean, said once.

Shapes are `(height, width)`; rows run down. Keras batches add `(batch, ..., 1)` and
exist only in `nn`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND, IGNORE, LEFT_LUNG, LUNG_LABELS, RIGHT_LUNG

Gray = NDArray[np.uint8]  # CXR (height, width); air dark, bone bright (MONOCHROME2)
Rgb = NDArray[np.uint8]  # picture for people (height, width, 3)
LabelMap = NDArray[np.uint8]  # (height, width) of BACKGROUND and labels of `anatomy`
Mask = NDArray[np.bool_]  # (height, width), True inside
Probabilities = NDArray[np.float32]  # (height, width, structures of the model); [0, 1]
SpacingMm = tuple[float, float]  # pixel size (row, column) in mm

RIGHT: Final = RIGHT_LUNG.label  # on the left of a frontal CXR
LEFT: Final = LEFT_LUNG.label


def is_lung(labels: LabelMap) -> Mask:
    """Return where a label map shows either lung, and nothing else such as the heart.

    Examples:
        >>> is_lung(np.array([[0, 1, 2, 3, 255]], np.uint8)).tolist()
        [[False, True, True, False, False]]
    """
    first, last = min(LUNG_LABELS), max(LUNG_LABELS)
    mask: Mask = (labels >= first) & (labels <= last)
    return mask


def where_known(labels: LabelMap, reference: LabelMap) -> LabelMap:
    """Return labels without those of pixels that a reference says nothing of.

    Whatever is drawn there is neither right nor wrong.

    Args:
        labels: Of a model, `(height, width)`; not changed.
        reference: Of the same shape.

    Examples:
        >>> known = where_known(np.array([[1, 2]], np.uint8), np.array([[255, 2]]))
        >>> known.tolist()
        [[0, 2]]
    """
    ignored = reference == IGNORE
    if not ignored.any():
        return labels
    return np.where(ignored, np.uint8(BACKGROUND), labels)
