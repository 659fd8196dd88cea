"""Read one case's pixels and labels, on the image's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lungcli.anatomy import BACKGROUND, IGNORE, LUNGS, STRUCTURES
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask, is_lung
from lungcli.data.case import Case
from lungcli.data.mask_files import read_mask
from lungcli.data.mask_meaning import RawMask
from lungcli.data.mask_tables import read_entry
from lungcli.data.sides import derive_sides
from lungcli.errors import ImageError

GIVEN = "given"
DERIVED = "derived"


class MaskSizeError(ImageError):
    """A mask has another size than its image."""


@dataclass(frozen=True, slots=True)
class CaseLabels:
    """What the masks of one CXR show.

    Attributes:
        labels: Label map on the image's grid.
        sides: `"given"` by the source, `"derived"` from where the lungs lie, or
            empty if no lung is drawn.
        overlap: Pixels that were drawn as lung and as another structure.
        is_inverted: A file draws dark on a bright ground.
    """

    labels: LabelMap
    sides: str
    overlap: int = 0
    is_inverted: bool = False


def read_case_labels(
    case: Case, shape: tuple[int, int], said: Mapping[float, str] | None = None
) -> CaseLabels:
    """Merge the mask files of each structure with OR, and name the lungs.

    Where a right and a left mask overlap, a pixel goes to the lung whose centre
    column is nearer: overlaps lie between the lungs. Where a lung and the heart
    overlap, it goes to the heart, whose shadow hides the lung.

    Args:
        case: A case with mask files.
        shape: Height and width of its image, on the grid of its file.
        said: What the user says that values of mask files mean.

    Raises:
        ImageError: If a mask file cannot be read.
        MaskSizeError: If a mask has neither the image's size nor, where the source
            draws on a coarser grid, exactly that grid's.
        ValueError: If the case has no masks.
    """
    if case.masks is None:
        msg = f"case {case.case_id} has no masks."
        raise ValueError(msg)
    drawn = _Drawn(shape)
    for key, paths in case.masks.apart.items():
        for path in paths:
            raw = _on_grid(case, path, read_mask(path, said), shape)
            drawn.add_one(key, raw)
    for path in case.masks.combined:
        drawn.add_all(_on_grid(case, path, read_mask(path, said), shape))
    for entry in case.masks.entries:
        drawn.add_all(_on_grid(case, entry.path, read_entry(entry), shape))
    return drawn.joined()


class _Drawn:
    """Each structure's pixels, gathered over the files of a case."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._masks = {each.key: np.zeros(shape, np.bool_) for each in STRUCTURES}
        self._either_lung = np.zeros(shape, np.bool_)
        self._ignored = np.zeros(shape, np.bool_)
        self._is_inverted = False

    def add_one(self, key: str, raw: RawMask) -> None:
        """Add a file of one structure, whatever the number it is drawn with."""
        self._is_inverted |= raw.is_inverted
        labels = raw.labels
        self._ignored |= labels == IGNORE
        self._masks[key] |= (labels != BACKGROUND) & (labels != IGNORE)

    def add_all(self, raw: RawMask) -> None:
        """Add a label map."""
        self._is_inverted |= raw.is_inverted
        self._ignored |= raw.labels == IGNORE
        for each in STRUCTURES:
            if each not in LUNGS or raw.has_sides:
                self._masks[each.key] |= raw.labels == each.label
        if not raw.has_sides:
            self._either_lung |= is_lung(raw.labels)

    def joined(self) -> CaseLabels:
        """Return one label map of all."""
        right, left = (self._masks[lung.key] for lung in LUNGS)
        if self._either_lung.any():  # a file without sides: name all of it one way
            labels, sides = derive_sides(right | left | self._either_lung), DERIVED
        else:
            labels, sides = _label(right, left), GIVEN
        lungs = is_lung(labels)
        for each in STRUCTURES:
            if each not in LUNGS:
                labels[self._masks[each.key]] = each.label
        overlap = int(np.count_nonzero(lungs & ~is_lung(labels)))
        labels[self._ignored & (labels == BACKGROUND)] = IGNORE
        sides = sides if lungs.any() else ""
        return CaseLabels(labels, sides, overlap, self._is_inverted)


def _on_grid(case: Case, path: Path, raw: RawMask, shape: tuple[int, int]) -> RawMask:
    """Return a mask on the grid of its image.

    Raises:
        MaskSizeError: If it has neither the image's size nor the source's coarser one.
    """
    height, width = raw.labels.shape
    scale = case.masks.scale if case.masks else 1
    if (height, width) == shape:
        return raw
    if (height * scale, width * scale) == shape:
        finer = raw.labels.repeat(scale, axis=0).repeat(scale, axis=1)
        return replace(raw, labels=finer)
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
