"""The NLM sets' clinical readings: sex, age and finding in a few lines of text."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.data.ages import age_in_years

_SEX: Final = re.compile(r"\b(female?|male|[fmo])(?![a-z])", re.IGNORECASE)
_SEX_AND_AGE: Final = re.compile(r"(?:fe)?male?(?![a-z])", re.IGNORECASE)
_LABEL: Final = re.compile(r"^\s*(?:patient'?s\s+)?(sex|age)\s*:", re.IGNORECASE)
_SAME_PATIENT: Final = re.compile(r"same\s+pt\.?\s+as\s+(\w+)", re.IGNORECASE)
_FINDINGS: Final = {"0": "normal", "1": "tuberculosis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reading tells of a case; empty where it tells nothing.

    Attributes:
        sex: `"F"`, `"M"` or `"O"`.
        age: In years, e.g. `"45"`; infants as a fraction, e.g. `"1.3"`.
        finding: The radiologist's words.
        same_patient_as: The case that shows the same patient.
    """

    sex: str = ""
    age: str = ""
    finding: str = ""
    same_patient_as: str = ""


def read_reading(folder: Path | None, stem: str) -> Reading:
    """Read `<stem>.txt`; what is missing or unreadable tells nothing.

    Without words on the finding, the name's ending tells it: `_0` normal, `_1`
    tuberculosis.
    """
    text = _text(folder / f"{stem}.txt") if folder else ""
    reading = parse_reading(text)
    finding = reading.finding or _FINDINGS.get(stem.rpartition("_")[2], "")
    return Reading(
        sex=reading.sex,
        age=reading.age,
        finding=finding,
        same_patient_as=reading.same_patient_as,
    )


def parse_reading(text: str) -> Reading:
    """Parse the forms found in the Montgomery and the Shenzhen set.

    Montgomery writes `Patient's Sex: F`, `Patient's Age: 027Y` and the finding, each
    on a line; Shenzhen `male 45yrs` (also `femal 32yrs`, `female24yrs`, `male ,
    29yrs`, `male 16month`, `female 64days`) and then the finding. A number without
    unit counts years.

    Examples:
        >>> parse_reading("male 18month").age
        '1.5'
    """
    sex, age, findings = "", "", []
    for line in (line.strip() for line in text.splitlines()):
        label = _LABEL.match(line)
        if label and label[1].lower() == "sex":
            sex = _sex(line[label.end() :])
        elif label:
            age = age_in_years(line[label.end() :])
        elif not age and _SEX_AND_AGE.match(line):
            sex, age = _sex(line), age_in_years(line)
        elif line:
            findings.append(line)
    finding = " ".join(" ".join(findings).split())
    same = _SAME_PATIENT.search(finding)
    return Reading(
        sex=sex, age=age, finding=finding, same_patient_as=same[1] if same else ""
    )


def _text(path: Path) -> str:
    try:
        data = path.read_bytes() if path.is_file() else b""  # a pipe would hang
    except OSError:
        return ""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _sex(text: str) -> str:
    found = _SEX.search(text)
    return found[1][0].upper() if found else ""
