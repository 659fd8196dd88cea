"""Read one case's pixels and labels, on the image's own grid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask
from lungcli.data.case import Case
from lungcli.data.images import Decoded, read_image
from lungcli.data.mask_files import RawMask, read_mask
from lungcli.data.sides import derive_sides
from lungcli.errors import ImageError

GIVEN = "given"
DERIVED = "derived"


class MaskSizeError(ImageError):
    """A mask has another size than its image."""


@dataclass(frozen=True, slots=True)
class CaseLabels:
    """The lungs of one CXR.

    Attributes:
        labels: Label map on the image's grid.
        sides: `"given"` by the source, `"derived"` from where the lungs lie, or
            empty if the mask is.
    """

    labels: LabelMap
    sides: str


def read_case_image(case: Case) -> Decoded:
    """Decode the CXR of a case.

    Raises:
        ImageError: If the file cannot be read or is too small.
    """
    return read_image(case.image_path)


def read_case_labels(case: Case, shape: tuple[int, int]) -> CaseLabels:
    """Merge a case's mask files with OR and name the lungs.

    Where a right and a left mask overlap, a pixel goes to the lung whose centre
    column is nearer: overlaps lie between the lungs.

    Args:
        case: A case with mask files.
        shape: Height and width of its image, upright.

    Raises:
        ImageError: If a mask file cannot be read.
        MaskSizeError: If a mask has neither the image's size nor, where the source
            draws on a coarser grid, exactly that grid's.
        ValueError: If the case has no masks.
    """
    if case.masks is None:
        msg = f"case {case.case_id} has no masks."
        raise ValueError(msg)
    files = case.masks
    right = _union(case, files.right, shape)
    left = _union(case, files.left, shape)
    binary = np.zeros(shape, np.bool_)
    for path in files.combined:
        raw = _read_on_grid(case, path, shape)
        if raw.has_sides:
            right |= raw.labels == RIGHT
            left |= raw.labels == LEFT
        else:
            binary |= raw.labels > 0
    if binary.any():  # a file without sides: name all of it one way
        return CaseLabels(derive_sides(right | left | binary), DERIVED)
    labels = _label(right, left)
    return CaseLabels(labels, GIVEN if labels.any() else "")


def _union(case: Case, paths: tuple[Path, ...], shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    for path in paths:
        mask |= _read_on_grid(case, path, shape).labels > 0
    return mask


def _read_on_grid(case: Case, path: Path, shape: tuple[int, int]) -> RawMask:
    raw = read_mask(path)
    height, width = raw.labels.shape
    scale = case.masks.scale if case.masks else 1
    if (height, width) == shape:
        return raw
    if (height * scale, width * scale) == shape:
        finer = raw.labels.repeat(scale, axis=0).repeat(scale, axis=1)
        return RawMask(finer, raw.has_sides)
    msg = (
        f"mask {path} has {width}×{height} pixels, its image {case.image_path} "
        f"{shape[1]}×{shape[0]}. Replace one of them by its original."
    )
    raise MaskSizeError(msg)


def _label(right: Mask, left: Mask) -> LabelMap:
    labels = np.zeros(right.shape, np.uint8)
    labels[right] = RIGHT
    labels[left] = LEFT
    rows, columns = np.nonzero(right & left)
    if columns.size:
        to_right = np.abs(columns - _centre_column(right))
        to_left = np.abs(columns - _centre_column(left))
        labels[rows, columns] = np.where(to_right < to_left, RIGHT, LEFT)
    return labels


def _centre_column(mask: Mask) -> float:
    profile = mask.sum(axis=0)
    return float(profile @ np.arange(profile.size)) / float(profile.sum())
