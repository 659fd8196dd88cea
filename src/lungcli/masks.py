"""From probabilities to a label map: threshold, two lungs, no holes, right sides."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lungcli.arrays import BACKGROUND, LEFT, RIGHT, LabelMap, Mask, Probabilities

SMALLEST_PART = 0.25  # of the same lung's largest part; gas in the stomach is smaller
SMALLEST_LUNG = 0.02  # of the other lung; less is a speck, not a lung


def label_map(probabilities: Probabilities, *, threshold: float = 0.5) -> LabelMap:
    """Turn the probabilities of both lungs into labels.

    A pixel is lung where the two probabilities sum to the threshold or more, and
    belongs to the likelier side. Parts too small to be a lung are dropped, unless they
    touch one: then only their side was in doubt, and they join it. Holes are filled.

    Args:
        probabilities: Right and left lung, float32 `(height, width, 2)` in [0, 1].
        threshold: In (0, 1).

    Returns:
        0 background, 1 the patient's right lung, 2 left, uint8 `(height, width)`;
        all 0 if nothing reaches the threshold.
    """
    lung = lung_mask(probabilities, threshold=threshold)
    labels = np.full(lung.shape, BACKGROUND, dtype=np.uint8)
    box = _bounding_box(lung)  # the clean-up costs per pixel, and lungs fill a third
    is_right = probabilities[box][..., 0] >= probabilities[box][..., 1]
    labels[box] = _clean(lung[box], is_right)
    return labels


def lung_mask(probabilities: Probabilities, *, threshold: float = 0.5) -> Mask:
    """Return where the probability of either lung reaches the threshold."""
    mask: Mask = probabilities.sum(axis=-1) >= threshold
    return mask


def _clean(lung: Mask, is_right: Mask) -> LabelMap:
    right, left = _large_parts(lung & is_right), _large_parts(lung & ~is_right)
    least = SMALLEST_LUNG * max(np.count_nonzero(right), np.count_nonzero(left))
    labels = np.full(lung.shape, BACKGROUND, dtype=np.uint8)
    for label, side in ((RIGHT, right), (LEFT, left)):
        if np.count_nonzero(side) >= least:
            labels[side] = label
    _join_doubtful(labels, lung)
    for label in (RIGHT, LEFT):
        labels[_filled(labels == label) & (labels == BACKGROUND)] = label
    return labels


def _large_parts(mask: Mask) -> Mask:
    """Drop the connected parts that are specks beside the largest one."""
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    areas: NDArray[np.int64] = np.bincount(parts.ravel())
    areas[0] = 0
    kept: Mask = (areas >= SMALLEST_PART * areas.max())[parts]
    return kept


def _join_doubtful(labels: LabelMap, lung: Mask) -> None:
    """Give lung pixels that were dropped to the lung that they touch most, in place."""
    parts, count = ndimage.label(lung & (labels == BACKGROUND))
    if not count:
        return
    contacts = np.stack(
        [
            np.bincount(
                parts[ndimage.binary_dilation(labels == side) & (parts > 0)],
                minlength=count + 1,
            )
            for side in (RIGHT, LEFT)
        ]
    )
    sides = np.where(contacts[1] > contacts[0], LEFT, RIGHT)
    sides[contacts.sum(axis=0) == 0] = BACKGROUND
    joined = parts > 0
    labels[joined] = sides[parts[joined]]


def _filled(mask: Mask) -> Mask:
    """Fill the holes: background that is not connected with the outside.

    One labelling, where `scipy.ndimage.binary_fill_holes` grows the outside pixel by
    pixel, which takes seconds at full resolution.
    """
    outside, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    filled: Mask = outside[1:-1, 1:-1] != outside[0, 0]
    return filled


def _bounding_box(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
