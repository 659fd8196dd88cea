"""Overlap between a reference and a predicted mask.

The pixels are counted once, as an `Overlap`; every score reads the counts.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from lungcli import anatomy
from lungcli.anatomy import Structure
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask, is_lung, where_known

NAN: Final = float("nan")
LUNGS: Final = "lungs"  # both together: the published number
SIDES: Final = {lung.key: lung.label for lung in anatomy.LUNGS}  # to their label
PARTS: Final = {LUNGS: "both lungs"} | {
    each.key: each.name for each in anatomy.STRUCTURES
}
"""What may be scored: name in files to the name for people."""


def noun_of(parts: Iterable[str]) -> str:
    """Return what some of `PARTS` are called together.

    Examples:
        >>> noun_of(["lungs", "left"]), noun_of(["left", "heart"])
        ('lung', 'structure')
    """
    return "lung" if {LUNGS, *SIDES}.issuperset(parts) else "structure"


class Overlap(NamedTuple):
    """How many pixels lie in both masks, and in one alone."""

    both: int
    missed: int  # in the reference only
    extra: int  # in the prediction only


def overlap(reference: Mask, predicted: Mask) -> Overlap:
    """Count the pixels that two masks share.

    Args:
        reference: Drawn by an expert, boolean `(height, width)`.
        predicted: By the model, of the same shape.

    Raises:
        ValueError: If the masks are not boolean or differ in shape.
    """
    check_masks(reference, predicted)
    both = int(np.count_nonzero(reference & predicted))
    return Overlap(
        both,
        int(np.count_nonzero(reference)) - both,
        int(np.count_nonzero(predicted)) - both,
    )


def check_masks(reference: Mask, predicted: Mask) -> None:
    """Refuse what cannot be scored.

    Raises:
        ValueError: If the masks are not boolean or differ in shape.
    """
    for name, mask in (("reference", reference), ("predicted", predicted)):
        if mask.dtype != np.bool_ or mask.ndim != 2:
            msg = (
                f"{name} must be a 2-D boolean mask, got shape {mask.shape} "
                f"of {mask.dtype}. Threshold it first."
            )
            raise ValueError(msg)
    if reference.shape != predicted.shape:
        msg = f"reference {reference.shape} and predicted {predicted.shape} differ."
        raise ValueError(msg)


def overlap_by_lung(reference: LabelMap, predicted: LabelMap) -> dict[str, Overlap]:
    """Count for the lungs together, the right and the left lung.

    Args:
        reference: Label map of an expert, uint8 `(height, width)`.
        predicted: Label map of the model, of the same shape.

    Returns:
        `lungs`, `right` and `left`, the patient's sides; without pixels of which the
        reference says nothing.

    Raises:
        ValueError: If the label maps differ in shape.
    """
    ours = masks_of(reference)
    theirs = masks_of(where_known(predicted, reference))
    return {part: overlap(ours[part], theirs[part]) for part in ours}


def masks_of(
    labels: LabelMap, structures: Sequence[Structure] = anatomy.LUNGS
) -> dict[str, Mask]:
    """Return the mask of the lungs together, and of each structure, by `PARTS`."""
    apart = {each.key: labels == each.label for each in structures}
    return {LUNGS: is_lung(labels), **apart}


def is_swapped(reference: LabelMap, predicted: LabelMap) -> bool:
    """Return whether two label maps agree better with the sides of one exchanged.

    Args:
        reference: Label map of an expert, uint8 `(height, width)`.
        predicted: Label map of the model, of the same shape.

    Returns:
        False if either lacks a lung.

    Examples:
        >>> is_swapped(np.array([[1, 2]], np.uint8), np.array([[2, 1]], np.uint8))
        True
    """
    ours = reference == RIGHT, reference == LEFT
    theirs = predicted == RIGHT, predicted == LEFT
    if not all(mask.any() for mask in (*ours, *theirs)):
        return False
    straight, crossed = (
        zip(ours, theirs, strict=True),
        zip(ours, theirs[::-1], strict=True),
    )
    return _sum_of_dice(crossed) > _sum_of_dice(straight)


def dice(counts: Overlap) -> float:
    """Return the Dice coefficient 2|A∩B| / (|A| + |B|).

    Returns:
        Overlap in [0, 1]; NaN if both masks are empty (0/0 is not 1).

    References:
        Dice (1945), Ecology 26(3), https://doi.org/10.2307/1932409

    Examples:
        >>> dice(Overlap(both=1, missed=1, extra=1))
        0.5
    """
    return _ratio(2 * counts.both, 2 * counts.both + counts.missed + counts.extra)


def iou(counts: Overlap) -> float:
    """Return the IoU (Jaccard index) |A∩B| / |A∪B|.

    Returns:
        Overlap in [0, 1]; NaN if both masks are empty.

    References:
        Jaccard (1912), New Phytologist 11(2),
        https://doi.org/10.1111/j.1469-8137.1912.tb05611.x
    """
    return _ratio(counts.both, counts.both + counts.missed + counts.extra)


def sensitivity(counts: Overlap) -> float:
    """Return the share of the reference that was found.

    Returns:
        Share in [0, 1]; NaN if the reference is empty.
    """
    return _ratio(counts.both, counts.both + counts.missed)


def precision(counts: Overlap) -> float:
    """Return the share of the prediction that is right.

    Returns:
        Share in [0, 1]; NaN if nothing was predicted.
    """
    return _ratio(counts.both, counts.both + counts.extra)


def area_difference(counts: Overlap) -> float:
    """Return by how much more was drawn than there is, (|B| - |A|) / |A|.

    Returns:
        At least -1, below 0 where too little was drawn; NaN if the reference is empty.
    """
    return _ratio(counts.extra - counts.missed, counts.both + counts.missed)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def _sum_of_dice(pairs: Iterable[tuple[Mask, Mask]]) -> float:
    return sum(dice(overlap(reference, predicted)) for reference, predicted in pairs)
