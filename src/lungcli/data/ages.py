"""Ages as clinical readings and DICOM headers write them, in years."""

import re
from typing import Final

_DAYS_PER_YEAR: Final = 365.25
_AGE: Final = re.compile(r"(\d+)\s*([a-z]*)", re.IGNORECASE)


def age_in_years(text: str) -> str:
    """Return an age such as `027Y`, `16month` or `64days` in years; empty if none.

    A number without unit counts years.

    Examples:
        >>> [age_in_years(text) for text in ("027Y", "018M", "unknown")]
        ['27', '1.5', '']
    """
    found = _AGE.search(text)
    if not found:
        return ""
    number, unit = int(found[1]), found[2].lower()
    if unit.startswith("m"):
        return f"{number / 12:.2g}"
    if unit.startswith("w"):
        return f"{number * 7 / _DAYS_PER_YEAR:.2g}"
    if unit.startswith("d"):
        return f"{number / _DAYS_PER_YEAR:.2g}"
    return str(number)
