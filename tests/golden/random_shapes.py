"""Pairs of random masks, the same from the same seed on every machine.

Blobs like lungs, specks, single pixels, borders that touch and masks that reach the
edge of the image.
"""

from typing import NamedTuple

import numpy as np

CASES = 300


class Pair(NamedTuple):
    """Two masks, neither of them empty, and how to measure them."""

    reference: np.ndarray
    predicted: np.ndarray
    spacing: tuple[float, float]
    tolerance: float


def draw_pair(seed: int) -> Pair:
    """Draw two masks of one shape with one spacing."""
    # not default_rng: the stream of RandomState is frozen for all versions of NumPy
    random = np.random.RandomState(seed)
    shape = tuple(random.randint(4, 64, size=2))
    kinds = random.choice(["blobs", "blobs", "pixel", "edge", "specks"], size=2)
    reference = draw_mask(random, shape, kinds[0])
    predicted = draw_mask(random, shape, kinds[1])
    if seed % 3 == 0:  # alike, as a segmentation and its reference are
        predicted = reference ^ (predicted & draw_mask(random, shape, "blobs"))
        predicted = predicted if predicted.any() else reference
    # quarters are exact in the single precision that MONAI calculates in
    spacing = (1.0, 1.0) if seed % 2 else tuple(random.randint(1, 9, size=2) / 4)
    return Pair(reference, predicted, spacing, float(random.randint(0, 9) / 2))


def draw_mask(
    random: np.random.RandomState, shape: tuple[int, int], kind: str
) -> np.ndarray:
    """Draw one mask that is not empty."""
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool)
    mask[random.randint(shape[0]), random.randint(shape[1])] = True
    if kind == "blobs":
        for _ in range(random.randint(1, 4)):
            row, column = random.randint(shape[0]), random.randint(shape[1])
            height, width = random.randint(1, 1 + max(shape) // 2, size=2)
            distance = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2
            mask |= distance <= 1
    elif kind == "edge":
        mask |= columns < random.randint(1, shape[1] + 1)
    elif kind == "specks":
        mask |= random.random_sample(shape) < 0.1
    return mask
