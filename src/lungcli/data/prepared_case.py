"""One row of `cases.csv`, as `lungcli prepare` wrote it or as somebody changed it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.arrays import SpacingMm
from lungcli.data.case import CaseKey
from lungcli.data.geometry import Geometry
from lungcli.data.opening import MAX_PIXELS
from lungcli.system.files import text_of_cell

SPLITS: Final = ("train", "val", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCase:
    """One row of `cases.csv`.

    Attributes:
        case_id: Unique within its source.
        patient_id: Splits are by patient.
        source: Name of the source; `(source, case_id)` is the key.
        split: One of `SPLITS`, or `""`: not used, for want of a mask or not listed.
        image: Path of the square CXR, relative to the data set; so are `mask` and
            `reference`, which are `""` when there is no mask.
        mask: Path of the label map on the same square.
        reference: Path of the label map on the original grid.
        geometry: How the original lies in the square.
        spacing_mm: Pixel size of the original grid; None when unknown.
        sides: `"given"` if the source tells the lungs apart, `"derived"` if
            lungcli did, `""` without a mask.
        window_low: Value in the source file that became 0.
        window_high: Value in the source file that became 255.
        finding: Diagnosis, `""` if unknown; so are `sex`, `age` and `view`.
        ctr: Cardiothoracic ratio that somebody has measured; None if unknown.
        notes: What the audit saw, separated by semicolons.
    """

    case_id: str
    patient_id: str
    source: str
    split: str
    image: str
    mask: str
    reference: str
    geometry: Geometry
    spacing_mm: SpacingMm | None
    sides: str
    window_low: float
    window_high: float
    finding: str
    sex: str
    age: str
    view: str
    notes: str
    ctr: float | None = None

    @property
    def key(self) -> CaseKey:
        """What tells it from all other cases."""
        return self.source, self.case_id

    @property
    def has_mask(self) -> bool:
        """Whether there is a reference to train on and to score against."""
        return bool(self.mask)


def parse_case(row: Mapping[str, str | None]) -> PreparedCase:
    """Check the cells of a row and give them their types.

    Raises:
        ValueError: If a cell is missing, a number is none that an image can have, or
            a path leads out of the data set.
    """
    cells = {name: cell for name, cell in row.items() if cell is not None}
    try:
        case = _case(cells)
    except KeyError as error:
        msg = f"{error} is missing"
        raise ValueError(msg) from error
    if case.split not in (*SPLITS, ""):
        msg = f"the split is '{case.split}'"
        raise ValueError(msg)
    if not case.image or bool(case.mask) != bool(case.reference):
        msg = "an image, or one of mask and reference, is not named"
        raise ValueError(msg)
    return case


def whole_number(value: str | int, name: str, least: int) -> int:
    """Return a count or a place in pixels.

    Raises:
        ValueError: If it is none that an image can have.
    """
    number = int(value)
    if not least <= number <= MAX_PIXELS:
        msg = f"{name} is {number}"
        raise ValueError(msg)
    return number


def _case(cells: Mapping[str, str]) -> PreparedCase:
    def text(name: str) -> str:
        return text_of_cell(cells[name])

    return PreparedCase(
        case_id=text("case_id"),
        patient_id=text("patient_id"),
        source=text("source"),
        split=cells["split"],
        image=_inside(cells["image"]),
        mask=_inside(cells["mask"]),
        reference=_inside(cells["reference"]),
        geometry=_geometry(cells),
        spacing_mm=_spacing(cells["spacing_row_mm"], cells["spacing_column_mm"]),
        sides=cells["sides"],
        window_low=_finite(cells["window_low"]),
        window_high=_finite(cells["window_high"]),
        finding=text("finding"),
        sex=text("sex"),
        age=text("age"),
        view=text("view"),
        notes=text("notes"),
        ctr=_ratio(cells.get("ctr", "")),  # older data sets have no such column
    )


def _inside(path: str) -> str:
    """Check that a path stays in the data set: it may come from a stranger."""
    place = PurePosixPath(path)
    leads_out = place.is_absolute() or ".." in place.parts or Path(path).drive
    if leads_out or not path.isprintable():
        msg = f"the path {path!r} leads out of the data set"
        raise ValueError(msg)
    return path


def _geometry(cells: Mapping[str, str]) -> Geometry:
    def read(name: str, least: int = 1) -> int:
        return whole_number(cells[name], name, least)

    geometry = Geometry(
        height=read("original_height"),
        width=read("original_width"),
        side=read("side"),
        top=read("top", 0),
        left=read("left", 0),
        content_height=read("content_height"),
        content_width=read("content_width"),
    )
    bottom = geometry.top + geometry.content_height
    right = geometry.left + geometry.content_width
    if max(bottom, right) > geometry.side:
        msg = f"the image does not fit into its square: {geometry}"
        raise ValueError(msg)
    if max(geometry.height * geometry.width, geometry.side**2) > MAX_PIXELS:
        msg = f"more than {MAX_PIXELS:,} pixels: {geometry}"
        raise ValueError(msg)
    return geometry


def _spacing(row: str, column: str) -> SpacingMm | None:
    if not (row and column):
        return None
    spacing = _finite(row), _finite(column)
    if min(spacing) <= 0:
        msg = f"spacing of {row} × {column} mm"
        raise ValueError(msg)
    return spacing


def _ratio(text: str) -> float | None:
    if not text:
        return None
    value = _finite(text)
    if not 0 < value < 1:
        msg = f"a cardiothoracic ratio of {text}"
        raise ValueError(msg)
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        msg = f"{text} is no number"
        raise ValueError(msg)
    return value
