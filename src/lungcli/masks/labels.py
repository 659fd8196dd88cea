"""From probabilities to a label map: threshold, whole structures, no holes."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND, LUNG_LABELS
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask, Probabilities, is_lung
from lungcli.masks.regions import bounding_box, label_components

SMALLEST_PART = 0.25  # of the same lung's largest part; gas in the stomach is smaller
SMALLEST_LUNG = 0.02  # of the largest structure; less is a speck, not a lung

LUNG_CHANNELS: Final = slice(len(LUNG_LABELS))
"""Where the lungs are among the channels of probabilities: the first ones."""


def label_map(
    probabilities: Probabilities,
    *,
    threshold: float = 0.5,
    channels: Sequence[int] = LUNG_LABELS,
) -> LabelMap:
    """Turn probabilities into labels.

    A pixel is lung where the probabilities of both lungs sum to the threshold or more,
    and belongs to the likelier side. It is another structure where that one's reaches
    the threshold and is larger than that of lung. Parts too small to be a structure are
    dropped; those of a lung that touch one only had their side in doubt, and join it.
    Holes are filled.

    Args:
        probabilities: Right and left lung, then what else there is, float32
            `(height, width, structures)` in [0, 1].
        threshold: In (0, 1).
        channels: Label of each channel.

    Returns:
        Label map `(height, width)`; all 0 if nothing reaches the threshold.

    Raises:
        ValueError: If there are more or fewer channels than labels.
    """
    raw = threshold_labels(probabilities, threshold=threshold, channels=channels)
    return _cleaned(raw, channels)


def clean_probabilities(
    probabilities: Probabilities,
    *,
    threshold: float = 0.5,
    channels: Sequence[int] = LUNG_LABELS,
) -> Probabilities:
    """Return probabilities that the threshold alone turns into `label_map`'s labels.

    To clean on the network's small grid and to scale back afterwards costs a tenth of
    cleaning at full resolution, and the outline is as smooth: only pixels whose label
    changed are touched. What was dropped becomes 0, what was filled in 1, and what
    changed sides is all its new side's.

    Args:
        probabilities: As `label_map` takes them; not changed.
        threshold: In (0, 1).
        channels: Label of each channel.

    Returns:
        Of the same shape.
    """
    before = threshold_labels(probabilities, threshold=threshold, channels=channels)
    labels = _cleaned(before, channels)
    cleaned = probabilities.copy()
    changed = before != labels
    cleaned[changed & (labels == BACKGROUND)] = 0.0
    lung = probabilities[..., LUNG_CHANNELS].sum(axis=-1)
    lung = np.where(is_lung(before), lung, np.float32(1))
    for channel, label in enumerate(channels):
        gained = changed & (labels == label)
        cleaned[gained] = 0.0
        cleaned[gained, channel] = lung[gained]
    return cleaned


def threshold_labels(
    probabilities: Probabilities,
    *,
    threshold: float = 0.5,
    channels: Sequence[int] = LUNG_LABELS,
) -> LabelMap:
    """Return the labels that `label_map` begins with, uncleaned.

    Args:
        probabilities: As `label_map` takes them.
        threshold: In (0, 1).
        channels: Label of each channel.

    Returns:
        Label map `(height, width)`.
    """
    planes = [probabilities[..., index] for index in range(probabilities.shape[-1])]
    return threshold_planes(planes, threshold=threshold, channels=channels)


def threshold_planes(
    planes: Sequence[NDArray[Any]],
    *,
    threshold: float = 0.5,
    channels: Sequence[int] = LUNG_LABELS,
) -> LabelMap:
    """Do the same with the channels apart, each `(height, width)`."""
    if len(planes) != len(channels):
        given = ", ".join(map(str, channels))
        msg = f"{len(planes)} channels for the labels {given}: they must be as many."
        raise ValueError(msg)
    right, left, *others = planes
    likeliest: NDArray[Any] = right + left
    labels = np.where(right >= left, np.uint8(RIGHT), np.uint8(LEFT))
    labels *= likeliest >= threshold
    for label, plane in zip(channels[LUNG_CHANNELS.stop :], others, strict=True):
        labels[(plane >= threshold) & (plane > likeliest)] = label
        likeliest = np.maximum(likeliest, plane)
    return labels


def lung_mask(probabilities: Probabilities, *, threshold: float = 0.5) -> Mask:
    """Return where the probability of either lung reaches the threshold."""
    mask: Mask = probabilities[..., LUNG_CHANNELS].sum(axis=-1) >= threshold
    return mask


def _cleaned(raw: LabelMap, channels: Sequence[int]) -> LabelMap:
    labels = np.full(raw.shape, BACKGROUND, dtype=np.uint8)
    # the clean-up costs per pixel, and lungs fill a third
    box = bounding_box(raw != BACKGROUND)
    labels[box] = _clean(raw[box], channels)
    return labels


def _clean(raw: LabelMap, channels: Sequence[int]) -> LabelMap:
    masks = {label: _large_parts(raw == label) for label in channels}
    areas = {label: np.count_nonzero(mask) for label, mask in masks.items()}
    least = SMALLEST_LUNG * max(areas.values())
    labels = np.full(raw.shape, BACKGROUND, dtype=np.uint8)
    for label, mask in masks.items():
        if areas[label] >= least:
            labels[mask] = label
    _join_doubtful(labels, is_lung(raw))
    for label in channels:
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
