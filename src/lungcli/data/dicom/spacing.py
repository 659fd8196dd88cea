"""Pixel spacing of a DICOM X-ray, and at which plane it holds."""

from typing import Final

from pydicom.dataset import Dataset

from lungcli.arrays import SpacingMm
from lungcli.data.dicom.tags import code, numbers

_POSSIBLE_MM: Final = (1e-3, 1e2)  # of the side of a pixel; beyond is an error
_AT_DETECTOR: Final = "at the detector, not in the patient"


def read_spacing(dataset: Dataset) -> tuple[SpacingMm | None, str]:
    """Return the pixel spacing and where it comes from.

    A projection magnifies: what is measured at the detector is 5 to 20 % larger than
    the patient. `PixelSpacing` holds in the patient if it was calibrated, and at the
    detector if it merely repeats `ImagerPixelSpacing`; a digitized film has the
    spacing on the film.

    Returns:
        `(row, column)` in mm and the source, or None and the empty string if no
        spacing is given, or only one that no pixel has.

    References:
        DICOM PS3.3 section 10.7.1.3 and C.8.2.1 (secondary capture: C.8.6.2).
    """
    spacing = _positive(dataset, "PixelSpacing")
    imager = _positive(dataset, "ImagerPixelSpacing")
    film = _positive(dataset, "NominalScannedPixelSpacing")
    if spacing is not None:
        return spacing, _meaning(dataset, same_as_imager=spacing == imager)
    if imager is not None:
        return imager, f"ImagerPixelSpacing ({_AT_DETECTOR})"
    if film is not None:
        return film, "NominalScannedPixelSpacing (on the film, not in the patient)"
    return None, ""


def _meaning(dataset: Dataset, *, same_as_imager: bool) -> str:
    calibration = code(dataset, "PixelSpacingCalibrationType")
    if calibration in {"GEOMETRY", "FIDUCIAL"}:
        return f"PixelSpacing (calibrated by {calibration.lower()})"
    return f"PixelSpacing ({_AT_DETECTOR})" if same_as_imager else "PixelSpacing"


def _positive(dataset: Dataset, keyword: str) -> SpacingMm | None:
    values = numbers(dataset, keyword)
    least, most = _POSSIBLE_MM
    if len(values) != 2 or not least <= min(values) <= max(values) <= most:
        return None
    return values[0], values[1]
