"""Numbers as a report shows them, and values cleaned for a page in UTF-8."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lungcli.system.files import printable

UNDEFINED: Final = "–"


def number(value: float | None, digits: int = 3, unit: str = "") -> str:
    """Return a number with its unit; a dash for what is undefined.

    Examples:
        >>> number(0.97251), number(3.14159, 2, "mm"), number(None)
        ('0.973', '3.14 mm', '–')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    return f"{value:.{digits}f}" + (f" {unit}" if unit else "")


def distance(value: float | None, unit: str) -> str:
    """Return a distance with three digits or more, as far as they mean something.

    Examples:
        >>> distance(3.1416, "mm"), distance(31.416, "px"), distance(314.16, "px")
        ('3.14 mm', '31.4 px', '314 px')
    """
    digits = 2 if value is None or value < 9.995 else 1 if value < 99.95 else 0
    return number(value, digits, unit)


def percent(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """Return a fraction in percent.

    Examples:
        >>> percent(0.0421), percent(0.0421, signed=True), percent(None)
        ('4.2 %', '+4.2 %', '–')
        >>> percent(-0.0421, signed=True)
        '−4.2 %'
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    text = f"{100 * value:{'+' if signed else ''}.{digits}f} %"
    return text.replace("-", "−")


def interval(bounds: Sequence[float] | None, digits: int = 3) -> str:
    """Return a confidence interval; empty if there is none.

    Examples:
        >>> interval([0.9571, 0.9702]), interval(None)
        ('0.957–0.970', '')
    """
    if not bounds or any(bound is None for bound in bounds):
        return ""
    low, high = bounds
    return f"{low:.{digits}f}–{high:.{digits}f}"


def count(quantity: int, noun: str) -> str:
    """Return a number of things.

    Examples:
        >>> count(1, "case"), count(2000, "case")
        ('1 case', '2,000 cases')
    """
    return f"{quantity:,} {noun}{'' if quantity == 1 else 's'}"


def cleaned(value: Any) -> Any:
    r"""Return a JSON value in which text is UTF-8 and every number finite, else None.

    Examples:
        >>> cleaned({"a": [float("nan"), 1, "caf\udce9"]})
        {'a': [None, 1, 'caf\\udce9']}
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {printable(str(key)): cleaned(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [cleaned(one) for one in value]
    return value
