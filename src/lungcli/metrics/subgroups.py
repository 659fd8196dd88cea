"""Cases apart by what is known of the patient and the X-ray."""

import re
from collections.abc import Sequence
from typing import Final

from lungcli.metrics.scores import CaseScores

COLUMNS: Final = ("finding", "sex", "age", "view")
UNKNOWN: Final = "unknown"

_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)([YMWD]?)", re.IGNORECASE)
_PER_YEAR: Final = {"": 1, "Y": 1, "M": 12, "W": 52, "D": 365}
_BANDS: Final = ((18, "0-17"), (40, "18-39"), (60, "40-59"))
_OLDEST: Final = "60+"


def split_by_group(
    cases: Sequence[CaseScores],
) -> dict[str, dict[str, list[CaseScores]]]:
    """Return the cases of each value of each column of `COLUMNS`.

    A column of which nothing is known is left out; in the others, the cases without a
    value come last, as `UNKNOWN`. Ages are those of `age_band`.
    """
    columns = {column: _split(cases, column) for column in COLUMNS}
    return {name: groups for name, groups in columns.items() if set(groups) - {UNKNOWN}}


def age_band(age: str) -> str:
    """Return a band of ages, in years.

    Args:
        age: In years, or as DICOM has it (PS3.5, value representation AS): `030Y`,
            `018M`, `006W`, `003D`.

    Returns:
        `0-17`, `18-39`, `40-59`, `60+`, or `unknown`.

    Examples:
        >>> age_band("45"), age_band("018M"), age_band("?")
        ('40-59', '0-17', 'unknown')
    """
    found = _AGE.fullmatch(age.strip())
    if found is None:
        return UNKNOWN
    years = float(found[1]) / _PER_YEAR[found[2].upper()]
    return next((band for below, band in _BANDS if years < below), _OLDEST)


def _split(cases: Sequence[CaseScores], column: str) -> dict[str, list[CaseScores]]:
    groups: dict[str, list[CaseScores]] = {}
    for case in cases:
        groups.setdefault(_value(case, column), []).append(case)
    order = sorted(groups, key=lambda value: (value == UNKNOWN, value))
    return {value: groups[value] for value in order}


def _value(case: CaseScores, column: str) -> str:
    value = case.facts.groups.get(column, "").strip()
    if column == "age":
        return age_band(value)
    return value or UNKNOWN
