"""Values of a DICOM header, as far as they can be trusted.

What a header claims to be a number may be text, empty or missing; such values count as
absent. Only codes and numbers are read, never names: nothing here can carry a
patient's identity.
"""

import math
import re
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

_CODE: Final = re.compile(r"[A-Z0-9_ -]{1,16}")  # as CS, and codes like R-10206


def codes(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of a code string in capitals; empty if absent or odd."""
    texts = tuple(str(value).strip().upper() for value in _values(dataset, keyword))
    return texts if all(_CODE.fullmatch(text) for text in texts) else ()


def code(dataset: Dataset, keyword: str) -> str:
    """Return the first of `codes`; the empty string if there is none."""
    return next(iter(codes(dataset, keyword)), "")


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return the values of a number; empty if absent or if one is no finite number."""
    try:
        values = tuple(float(value) for value in _values(dataset, keyword))
    except (TypeError, ValueError):
        return ()
    return values if all(math.isfinite(value) for value in values) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the first of `numbers`; None if there is none."""
    return next(iter(numbers(dataset, keyword)), None)


def whole(dataset: Dataset, keyword: str, default: int = 0) -> int:
    """Return a whole number, or `default` if there is none."""
    value = number(dataset, keyword)
    return default if value is None else int(value)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; empty if absent or no sequence."""
    return tuple(
        item for item in _values(dataset, keyword) if isinstance(item, Dataset)
    )


def _values(dataset: Dataset, keyword: str) -> list[Any]:
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom converts only now, and raises a dozen kinds
        return []
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (MultiValue, Sequence, list)) else [value]
