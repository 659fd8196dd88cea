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


def where_known(predicted: LabelMap, reference: LabelMap) -> LabelMap:
    """Return a label map with background where the reference says that nobody knows.

    Examples:
        >>> predicted, reference = np.array([[1, 1]]), np.array([[0, 255]])
        >>> where_known(predicted, reference).tolist()
        [[1, 0]]
    """
    known: LabelMap = np.where(reference == IGNORE, BACKGROUND, predicted)
    return known.astype(predicted.dtype, copy=False)
