"""A chest X-ray as its file has it, with what the file says of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Gray, SpacingMm


@dataclass(frozen=True, slots=True, kw_only=True)
class Xray:
    """A decoded CXR; air dark, bone bright.

    Attributes:
        pixels: On the grid that the file stores, shape `(height, width)`.
        low: Value in the file that became 0; larger than `high` where large values are
            dark.
        high: Value in the file that became 255.
        is_dicom: Whether the file is DICOM.
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
    low: float = 0.0
    high: float = 255.0
    is_dicom: bool = False
    spacing_mm: SpacingMm | None = None
    spacing_source: str = ""
    view: str = ""
    quarter_turns: int | None = None
    mirrored: bool | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def upright(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image or label map of the stored grid as the tags set it upright.

        Args:
            stored: Of the shape of `pixels`.
        """
        turned = np.rot90(stored, self.quarter_turns or 0)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    @property
    def upright_spacing_mm(self) -> SpacingMm | None:
        """Pixel size (row, column) of the upright grid; None if unknown."""
        sideways = (self.quarter_turns or 0) % 2 == 1
        return (
            self.spacing_mm[::-1] if self.spacing_mm and sideways else self.spacing_mm
        )
