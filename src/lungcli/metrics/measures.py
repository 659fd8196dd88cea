"""What a radiologist would measure on the lungs of one CXR: areas, sizes, boxes.

All of it comes from the label map alone, and holds for a frontal CXR. Boxes lie on the
pixel grid of the label map; the thorax, and widths and heights in mm, are the patient's
own, also where the grid is turned.

Millimetres are those of the pixel size given. If that is the detector's
(ImagerPixelSpacing), lengths are magnified by the projection, by about a tenth in a
usual posteroanterior CXR.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lungcli import anatomy
from lungcli.anatomy import Structure
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask, SpacingMm, is_lung
from lungcli.masks.regions import bounding_box

CROP_MARGIN = 0.05  # of the longer side of the box of both lungs, on each side

Value = int | float | None
"""A count, a number with a unit, or None for what is undefined or unknown."""


class Box(NamedTuple):
    """A rectangle of whole pixels: column and row of its top left one, and its size."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of one structure, or of both lungs together.

    Attributes:
        area_px: Number of pixels; 0 if it is not there.
        box: The smallest that holds it; None if it is not there.
    """

    area_px: int
    box: Box | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thorax:
    """The inner width of the chest where it is widest, as the cardiothoracic ratio has.

    Attributes:
        width_px: From the outer border of one lung to that of the other, in one row.
        row: The topmost such row, counted from 0; None if the patient lies sideways
            on the grid, where it is a column.
    """

    width_px: int
    row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measures of one CXR.

    Attributes:
        right: The patient's right lung.
        left: The patient's left lung.
        lungs: Both together.
        thorax: None if no row of pixels meets both lungs.
        crop: The box of both lungs with a margin, within the image; None without a
            lung.
        num_pixels: Of the image.
        spacing_mm: Pixel size (row, column) of the upright grid; None if unknown.
        sideways: Whether the patient lies sideways on the grid.
        others: What else was looked for, by its key.
    """

    right: Size
    left: Size
    lungs: Size
    thorax: Thorax | None
    crop: Box | None
    num_pixels: int
    spacing_mm: SpacingMm | None
    sideways: bool = False
    others: Mapping[str, Size] = field(default_factory=dict)

    @property
    def symmetry(self) -> float | None:
        """Area of the smaller lung by that of the larger, in [0, 1].

        None without lungs, 0 if one is missing. The left lung is the smaller one in
        most people, the heart being there.
        """
        smaller, larger = sorted((self.right.area_px, self.left.area_px))
        return smaller / larger if larger else None

    def to_dict(self) -> dict[str, Value]:
        """Return one flat row of a table, in the order of `measure_columns`.

        Names end in their unit, `_px`, `_mm` or `_mm2`; what has none is a ratio. Every
        name is always there, with None for what is undefined (a missing lung has area
        0 and no box) or unknown (mm without a pixel size).
        """
        row: dict[str, Value] = {}
        for name in ("right", "left", "lungs"):
            size: Size = getattr(self, name)
            row |= _prefixed(name, self._of_size(size))
        row["lungs.image_fraction"] = self.lungs.area_px / self.num_pixels
        row["symmetry"] = self.symmetry
        row |= _prefixed("thorax", self._of_thorax())
        row |= _prefixed("crop", _of_box(self.crop))
        for key, size in self.others.items():
            row |= _prefixed(key, self._of_size(size))
        return row

    def _of_size(self, size: Size) -> dict[str, Value]:
        row_mm, column_mm = self.spacing_mm or (None, None)
        box = _of_box(size.box)
        width_px, height_px = box["width_px"], box["height_px"]
        if self.sideways:
            width_px, height_px = height_px, width_px
        return {
            "area_px": size.area_px,
            "area_mm2": _times(_times(size.area_px, row_mm), column_mm),
            **box,
            "width_mm": _times(width_px, column_mm),
            "height_mm": _times(height_px, row_mm),
        }

    def _of_thorax(self) -> dict[str, Value]:
        width = None if self.thorax is None else self.thorax.width_px
        column_mm = None if self.spacing_mm is None else self.spacing_mm[1]
        return {
            "width_px": width,
            "width_mm": _times(width, column_mm),
            "y_px": None if self.thorax is None else self.thorax.row,
        }


def measure(
    labels: LabelMap,
    spacing_mm: SpacingMm | None = None,
    *,
    quarter_turns: int = 0,
    margin: float = CROP_MARGIN,
    structures: Sequence[Structure] = anatomy.LUNGS,
) -> Measures:
    """Measure the lungs of one CXR.

    Args:
        labels: Of a frontal CXR, uint8 `(height, width)`, at least one pixel.
        spacing_mm: Pixel size (row, column); None if unknown.
        quarter_turns: Counter-clockwise turns by 90° that set it upright, as
            `numpy.rot90` counts.
        margin: Of the crop box, at least 0; a fraction of the longer side of the box
            of both lungs, rounded up to whole pixels.
        structures: What the labels may show; the lungs are always measured.

    Raises:
        ValueError: If `labels` is no label map, or `margin` is below 0.

    Examples:
        >>> measure(np.array([[1, 0, 2], [1, 0, 0]], np.uint8)).symmetry
        0.5
    """
    if labels.dtype != np.uint8 or labels.ndim != 2 or labels.size == 0:
        msg = f"labels {labels.shape} of {labels.dtype}: must be 2-D, uint8, not empty."
        raise ValueError(msg)
    if margin < 0:
        msg = f"margin {margin}: must be at least 0."
        raise ValueError(msg)
    lungs = _size(is_lung(labels))
    others = [each for each in structures if each not in anatomy.LUNGS]
    box = lungs.box or Box(0, 0, 0, 0)
    inner = labels[box.y : box.y + box.height, box.x : box.x + box.width]
    sideways = quarter_turns % 2 == 1
    return Measures(
        right=_moved(_size(inner == RIGHT), box),
        left=_moved(_size(inner == LEFT), box),
        lungs=lungs,
        thorax=_thorax(inner, box.y, quarter_turns % 4),
        crop=None if lungs.box is None else _grown(lungs.box, margin, labels.shape),
        num_pixels=labels.size,
        spacing_mm=spacing_mm[::-1] if spacing_mm and sideways else spacing_mm,
        sideways=sideways,
        others={each.key: _size(labels == each.label) for each in others},
    )


def measure_columns(
    structures: Sequence[Structure] = anatomy.LUNGS,
) -> tuple[str, ...]:
    """Return the names of all measures, in the order of `Measures.to_dict`."""
    empty = np.zeros((1, 1), np.uint8)
    return tuple(measure(empty, structures=structures).to_dict())


def _size(mask: Mask) -> Size:
    rows, columns = bounding_box(mask)
    width, height = columns.stop - columns.start, rows.stop - rows.start
    if not width:
        return Size(area_px=0, box=None)
    box = Box(columns.start, rows.start, width, height)
    return Size(area_px=int(np.count_nonzero(mask)), box=box)


def _moved(size: Size, outer: Box) -> Size:
    """Return a size measured inside `outer` in the coordinates of the image."""
    if size.box is None:
        return size
    x, y, width, height = size.box
    return Size(area_px=size.area_px, box=Box(x + outer.x, y + outer.y, width, height))


def _thorax(stored: LabelMap, top: int, quarter_turns: int) -> Thorax | None:
    labels = np.rot90(stored, quarter_turns)
    meets_both = (labels == RIGHT).any(axis=1) & (labels == LEFT).any(axis=1)
    rows = np.flatnonzero(meets_both)
    if not rows.size:
        return None
    lung = is_lung(labels[rows])
    first = lung.argmax(axis=1)
    last = lung.shape[1] - 1 - lung[:, ::-1].argmax(axis=1)
    widths = last - first + 1
    widest = int(widths.argmax())
    row = int(rows[widest])
    stored_row = {0: top + row, 2: top + len(labels) - 1 - row}.get(quarter_turns)
    return Thorax(width_px=int(widths[widest]), row=stored_row)


def _grown(box: Box, margin: float, shape: tuple[int, ...]) -> Box:
    by = int(np.ceil(margin * max(box.width, box.height)))
    left, top = max(0, box.x - by), max(0, box.y - by)
    right = min(shape[1], box.x + box.width + by)
    bottom = min(shape[0], box.y + box.height + by)
    return Box(left, top, right - left, bottom - top)


def _of_box(box: Box | None) -> dict[str, Value]:
    values = (None,) * 4 if box is None else box
    return {
        f"{name}_px": value for name, value in zip(Box._fields, values, strict=True)
    }


def _times(count: Value, mm: float | None) -> float | None:
    return None if count is None or mm is None else count * mm


def _prefixed(name: str, values: dict[str, Value]) -> dict[str, Value]:
    return {f"{name}.{key}": value for key, value in values.items()}
