"""Which way is up in a DICOM X-ray, and what it shows."""

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from lungcli.data.dicom.tags import code, codes, items

_OPPOSITE: Final = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "F", "F": "H"}
LATERAL: Final = "LATERAL"
_VIEWS: Final = {  # CID 4010 "DX View": SNOMED CT and its older codes
    "399348003": "AP",
    "R-10206": "AP",
    "272479007": "PA",
    "R-10214": "PA",
    "R-40888": "PA",
    "399173006": "LL",
    "R-10236": "LL",
    "399198007": "RL",
    "R-10232": "RL",
    "399067008": LATERAL,
    "R-102CD": LATERAL,
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the stored grid lies; None where the tags do not tell.

    Attributes:
        quarter_turns: Counter-clockwise turns by 90° that set it upright.
        mirrored: Whether it then shows the patient's right on its right.
    """

    quarter_turns: int | None
    mirrored: bool | None


def read_orientation(dataset: Dataset) -> Orientation:
    r"""Tell turns and mirroring from `PatientOrientation`.

    Its two values say where the rows and where the columns run to: `L\F` is a frontal
    chest as it is read, with the patient's left on its right and the feet down. The
    first letter of a value is its main direction. `FieldOfViewRotation` and
    `FieldOfViewHorizontalFlip` tell what was done before the pixels were stored, so
    they are not looked at.

    References:
        DICOM PS3.3 sections C.7.6.1.1.1 and C.8.11.3.1.3.
    """
    directions = [value[:1] for value in codes(dataset, "PatientOrientation")]
    if len(directions) != 2 or not all(letter in _OPPOSITE for letter in directions):
        return Orientation(None, None)
    right, down = directions
    if down in {right, _OPPOSITE[right]}:
        return Orientation(None, None)
    for turns in range(4):
        if down == "F":
            return Orientation(turns, {"R": True, "L": False}.get(right))
        right, down = down, _OPPOSITE[right]
    return Orientation(None, None)  # seen from above or below


def read_view(dataset: Dataset) -> str:
    """Return the view, e.g. `PA`, from `ViewPosition` or the view's code.

    Where neither is there, rows that run to the front or the back of the patient make
    a lateral view.
    """
    view = code(dataset, "ViewPosition")
    if view:
        return view
    for item in items(dataset, "ViewCodeSequence"):
        return _VIEWS.get(code(item, "CodeValue"), "")
    directions = {value[:1] for value in codes(dataset, "PatientOrientation")}
    return LATERAL if directions & {"A", "P"} and directions & {"H", "F"} else ""
