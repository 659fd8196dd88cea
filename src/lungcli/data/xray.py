"""A chest X-ray as its file has it, with what the file says of it."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.arrays import Gray, SpacingMm
from lungcli.data.images import read_image
from lungcli.data.opening import is_dicom_file

__all__ = ["Xray", "is_dicom_file", "read_xray"]

# pydicom's modules import each other in circles: two threads at once would break them.
_IMPORTING: Final = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Xray:
    """A decoded CXR; air dark, bone bright.

    Attributes:
        pixels: On the grid that the file stores, shape `(height, width)`.
        spacing_mm: Pixel size; None if unknown or zero.
        spacing_source: Where it comes from, e.g. `PixelSpacing`; empty if unknown.
        view: `ViewPosition` of a DICOM file, e.g. `PA`, `AP`, `LL`; empty if unknown.
        quarter_turns: Counter-clockwise turns by 90° that set the stored grid upright
            (as `numpy.rot90` counts), from the tags; None if they do not tell.
        mirrored: Whether it then shows the patient's right on its right, from the
            tags; None if they do not tell.
        notes: What was done to decode it, for a person.
        doubts: What a person should check, e.g. `FOR PROCESSING`; empty if nothing.
    """

    pixels: Gray
    spacing_mm: SpacingMm | None = None
    spacing_source: str = ""
    view: str = ""
    quarter_turns: int | None = None
    mirrored: bool | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_xray(path: Path) -> Xray:
    """Read a CXR of any format: DICOM by its content, others as `read_image` does.

    Raises:
        ImageError: If the file is missing, empty, broken or no image.
        TooSmallError: If a side has fewer than `MIN_SIDE` pixels.
    """
    if is_dicom_file(path):
        with _IMPORTING:
            from lungcli.data.dicom.reading import (  # noqa: PLC0415 - takes 0.3 s
                read_dicom,
            )

        return read_dicom(path)
    decoded = read_image(path)
    return Xray(
        pixels=decoded.pixels,
        notes=tuple(decoded.note.split("; ")) if decoded.note else (),
    )
