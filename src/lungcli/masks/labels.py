"""From probabilities to a label map: threshold, two lungs, no holes, right sides."""

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask, Probabilities
from lungcli.masks.regions import bounding_box, label_components

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
    box = bounding_box(lung)  # the clean-up costs per pixel, and lungs fill a third
    is_right = probabilities[box][..., 0] >= probabilities[box][..., 1]
    labels[box] = _clean(lung[box], is_right)
    return labels


def clean_probabilities(
    probabilities: Probabilities, *, threshold: float = 0.5
) -> Probabilities:
    """Return probabilities that the threshold alone turns into `label_map`'s labels.

    To clean on the network's small grid and to scale back afterwards costs a tenth of
    cleaning at full resolution, and the outline is as smooth: only pixels whose label
    changed are touched. What was dropped becomes 0, what was filled in 1, and what
    changed sides is all its new side's.

    Args:
        probabilities: As `label_map` takes them; not changed.
        threshold: In (0, 1).

    Returns:
        Of the same shape.
    """
    labels = label_map(probabilities, threshold=threshold)
    before = threshold_labels(probabilities, threshold=threshold)
    cleaned = probabilities.copy()
    changed = before != labels
    cleaned[changed & (labels == BACKGROUND)] = 0.0
    lung = np.where(before == BACKGROUND, 1.0, probabilities.sum(axis=-1))
    for channel, side in enumerate((RIGHT, LEFT)):
        gained = changed & (labels == side)
        cleaned[gained] = 0.0
        cleaned[gained, channel] = lung[gained]
    return cleaned


def threshold_labels(
    probabilities: Probabilities, *, threshold: float = 0.5
) -> LabelMap:
    """Return the likelier side wherever the lungs reach the threshold, uncleaned.

    Args:
        probabilities: Right and left lung, `(height, width, 2)` in [0, 1].
        threshold: In (0, 1).

    Returns:
        Label map `(height, width)`.
    """
    return threshold_sides(
        probabilities[..., 0], probabilities[..., 1], threshold=threshold
    )


def threshold_sides(
    right: NDArray[np.float32], left: NDArray[np.float32], *, threshold: float = 0.5
) -> LabelMap:
    """Do the same with the two probabilities apart, each `(height, width)`."""
    labels = np.where(right >= left, np.uint8(RIGHT), np.uint8(LEFT))
    labels *= right + left >= threshold
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
    parts, count = label_components(mask)
    if count <= 1:
        return mask
    areas: NDArray[np.int64] = np.bincount(parts.ravel())
    areas[0] = 0
    kept: Mask = (areas >= SMALLEST_PART * areas.max())[parts]
    return kept


def _join_doubtful(labels: LabelMap, lung: Mask) -> None:
    """Give lung pixels that were dropped to the lung that they touch most, in place."""
    parts, count = label_components(lung & (labels == BACKGROUND))
    if not count:
        return
    contacts = np.stack(
        [
            np.bincount(
                parts[_with_neighbours(labels == side) & (parts > 0)],
                minlength=count + 1,
            )
            for side in (RIGHT, LEFT)
        ]
    )
    sides = np.where(contacts[1] > contacts[0], LEFT, RIGHT)
    sides[contacts.sum(axis=0) == 0] = BACKGROUND
    joined = parts > 0
    labels[joined] = sides[parts[joined]]


def _with_neighbours(mask: Mask) -> Mask:
    """Grow a mask by the pixels that touch it by an edge."""
    padded = np.pad(mask, 1)
    grown: Mask = padded[1:-1, 1:-1].copy()
    for axis in (0, 1):
        for shift in (-1, 1):
            grown |= np.roll(padded, shift, axis)[1:-1, 1:-1]
    return grown


def _filled(mask: Mask) -> Mask:
    """Fill the holes: background that is not connected with the outside.

    One labelling, where `scipy.ndimage.binary_fill_holes` grows the outside pixel by
    pixel, which takes seconds at full resolution.
    """
    outside, _ = label_components(np.pad(~mask, 1, constant_values=True))
    filled: Mask = outside[1:-1, 1:-1] != outside[0, 0]
    return filled
