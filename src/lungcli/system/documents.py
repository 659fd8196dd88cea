"""Read JSON documents that strangers may have written: nothing is taken on trust."""

import json
import reprlib
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Final, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from lungcli.system.files import read_plain

MOST_BYTES: Final = 2**20  # of a document that holds settings
_NAMES: Final = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text",
}

T = TypeVar("T")


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        path: The file, UTF-8.
        most_bytes: A larger file is refused before it is read.

    Raises:
        OSError: If it cannot be read, or is no plain file.
        ValueError: If it is too large, nested too deeply, no JSON, or no object. NaN
            and infinity are no JSON (RFC 8259), though Python reads them.
    """
    return parse_json(read_plain(path, most_bytes))


def parse_json(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        ValueError: As `read_json`.
    """
    try:
        document = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    return _object(document, "the document")


def parse_fields(kind: type[T], document: object, where: str = "") -> T:
    """Build a dataclass from a JSON object that has its fields and no others.

    Types are those of the annotations: `str`, `bool`, `int`, `float` (whole numbers
    too), `Any`, `dict[str, X]`, `tuple[X, ...]` or `tuple[X, Y]` from a list,
    `X | None`, a `StrEnum`, or such a dataclass. Nothing is converted: `"1"` and `true`
    are no numbers. Ranges are the dataclass's own business.

    Args:
        kind: The dataclass.
        document: A part of a JSON document.
        where: Its name in messages; empty for the whole.

    Raises:
        ValueError: If a field is missing, unknown, or of another type.

    Examples:
        >>> from lungcli.model.config import Holdout
        >>> parse_fields(Holdout, {"folds": 5}).folds
        5
        >>> parse_fields(Holdout, {"folds": "5"})
        Traceback (most recent call last):
        ...
        ValueError: folds must be a whole number, got '5'
    """
    given = _object(document, where or "the document")
    known = _fields(kind)  # type: ignore[arg-type] # classes have a hash
    dot = f"{where}." if where else ""
    for name in given:
        if name not in known:
            msg = f"{dot}{reprlib.repr(name)[1:-1]} is unknown"
            raise ValueError(msg)
    values = {}
    for name, (hint, required) in known.items():
        if name in given:
            values[name] = _parse(hint, given[name], f"{dot}{name}")
        elif required:
            msg = f"{dot}{name} is missing"
            raise ValueError(msg)
    return kind(**values)


@cache  # slow, and a journal has a dataclass a line
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Return type of each field of a dataclass, and whether it must be given."""
    hints = get_type_hints(kind)
    return {
        item.name: (
            hints[item.name],
            item.default is MISSING and item.default_factory is MISSING,
        )
        for item in fields(kind)
    }


def _parse(kind: Any, value: object, where: str) -> Any:
    if is_dataclass(kind):
        return parse_fields(kind, value, where)  # type: ignore[arg-type] # no instance
    if get_origin(kind) is not None:
        return _parse_parts(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _member(kind, value, where)
    if kind is float and type(value) is int:
        return _float(value, where)
    if kind is not Any and type(value) is not kind:  # true is an instance of int
        _complain(where, _NAMES[kind], value)
    return value


def _parse_parts(kind: Any, value: object, where: str) -> Any:
    some = get_args(kind)
    if get_origin(kind) is tuple:
        return _parse_tuple(some, _list(value, where), where)
    if get_origin(kind) is dict:
        named = _object(value, where).items()
        return {name: _parse(some[1], item, f"{where}[]") for name, item in named}
    (present,) = set(some) - {NoneType}
    return None if value is None else _parse(present, value, where)


def _parse_tuple(kinds: tuple[Any, ...], items: list[Any], where: str) -> Any:
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(items)
    if len(items) != len(kinds):
        _complain(where, f"a list of {len(kinds)}", items)
    pairs = zip(kinds, items, strict=True)
    return tuple([_parse(kind, item, f"{where}[]") for kind, item in pairs])


def _member(kind: type[StrEnum], value: object, where: str) -> StrEnum:
    if not isinstance(value, str) or value not in tuple(kind):
        _complain(where, f"one of {', '.join(kind)}", value)
    return kind(value)


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _complain(where, "an object", value)
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        _complain(where, "a list", value)
    return value


def _float(value: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError:
        _complain(where, _NAMES[float], value)


def _complain(where: str, wanted: str, value: object) -> NoReturn:
    msg = f"{where} must be {wanted}, got {reprlib.repr(value)}"
    raise ValueError(msg)


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is no JSON"
    raise ValueError(msg)
