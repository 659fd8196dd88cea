"""Who a DICOM X-ray is of, read without its pixels.

The only place where identity is read. What comes of it leaves this program as salted
hashes; see `lungcli.data.identities`.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from lungcli.data.ages import age_in_years
from lungcli.data.dicom.orientation import read_view
from lungcli.data.dicom.tags import code
from lungcli.data.opening import DICOM_START, is_dicom, open_file
from lungcli.errors import ImageError
from lungcli.system.quiet import without_warnings

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"  # DICOM PS3.4, B.5
_OLDEST: Final = 89  # years; who is older may be known by it alone
_SEXES: Final = frozenset({"F", "M", "O"})
_TAGS: Final = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "StudyDate",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientAge",
    "PatientSex",
    "PatientOrientation",
    "ViewPosition",
    "ViewCodeSequence",
    "BurnedInAnnotation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomFacts:
    """What a header says beside how the pixels are to be read.

    Attributes:
        instance: UID of the image; empty if it has none.
        patient: What tells the patient from all others: an identifier with its issuer,
            else the UID of the study; empty if there is neither.
        age: In years when the X-ray was taken, as `cases.csv` has it: `"45"`, infants
            as a fraction; above 89 `"90"`, since so few are older that the number may
            tell who it is (45 CFR 164.514). Empty if unknown.
        sex: `"F"`, `"M"` or `"O"`; empty if unknown.
        view: E.g. `PA`; empty if unknown.
        is_segmentation: Whether it is a mask, and no X-ray.
        has_writing: Whether the header says that text is burnt into the pixels.
    """

    instance: str
    patient: str
    age: str
    sex: str
    view: str
    is_segmentation: bool
    has_writing: bool


def read_facts(path: Path) -> DicomFacts | None:
    """Read the facts of a file; None if it is no DICOM, or a broken one.

    Never raises: what is wrong with the file is said when its pixels are read.
    """
    try:
        with open_file(path) as file:
            if not is_dicom(file.read(DICOM_START)):
                return None
            file.seek(0)
            with without_warnings():
                header = dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
                return _facts(header)
    except ImageError:
        return None
    except Exception:  # pydicom raises a dozen kinds on broken files
        return None


def _facts(header: Dataset) -> DicomFacts:
    sex = code(header, "PatientSex")
    return DicomFacts(
        instance=_text(header, "SOPInstanceUID"),
        patient=_patient(header),
        age=_age(header),
        sex=sex if sex in _SEXES else "",
        view=read_view(header),
        is_segmentation=_text(header, "SOPClassUID") == SEGMENTATION,
        has_writing=code(header, "BurnedInAnnotation") == "YES",
    )


def _patient(header: Dataset) -> str:
    number = _text(header, "PatientID")
    if number:
        return f"{_text(header, 'IssuerOfPatientID')}\n{number}"
    return _text(header, "StudyInstanceUID")


def _age(header: Dataset) -> str:
    stated = age_in_years(_text(header, "PatientAge"))
    years = stated or _years_between(
        _text(header, "PatientBirthDate"), _text(header, "StudyDate")
    )
    if years and float(years) > _OLDEST:
        return str(_OLDEST + 1)
    return years


def _years_between(born: str, taken: str) -> str:
    """Return the age in whole years by two dates `YYYYMMDD`; empty if one is none."""
    try:
        first, last = (date.fromisoformat(text) for text in (born, taken))
    except ValueError:
        return ""
    before_birthday = (last.month, last.day) < (first.month, first.day)
    years = last.year - first.year - before_birthday
    return str(years) if years >= 0 else ""


def _text(header: Dataset, keyword: str) -> str:
    try:
        return str(header.get(keyword) or "").strip()
    except Exception:  # pydicom converts only now
        return ""
