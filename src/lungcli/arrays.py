"""Array types and what their numbers mean, said once.

Shapes are `(height, width)`; rows run down. Keras batches add `(batch, ..., 1)` and
exist only in `nn`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]  # CXR (height, width); air dark, bone bright (MONOCHROME2)
Rgb = NDArray[np.uint8]  # picture for people (height, width, 3)
LabelMap = NDArray[np.uint8]  # (height, width) of BACKGROUND, RIGHT and LEFT
Mask = NDArray[np.bool_]  # (height, width), True inside
Probabilities = NDArray[np.float32]  # (height, width, 2): right lung, left lung; [0, 1]
SpacingMm = tuple[float, float]  # pixel size (row, column) in mm

BACKGROUND: Final = 0
RIGHT: Final = 1  # the patient's right lung, on the left of a frontal CXR
LEFT: Final = 2
