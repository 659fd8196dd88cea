"""`cases.csv` beside somebody's images: who the patient is, and what is known."""

import csv
import io
from pathlib import Path
from typing import Final

from lungcli.errors import DatasetError

TABLE_NAME: Final = "cases.csv"
_KEY: Final = "case_id"
_DELIMITERS: Final = (",", ";", "\t")


def read_case_table(path: Path) -> dict[str, dict[str, str]]:
    """Read the rows by case_id; empty if there is no such file.

    Comma, semicolon or tab, with or without byte order mark, any line ends: what
    spreadsheets write. Column names are taken in lower case.

    Raises:
        DatasetError: If the column case_id is missing, a case_id is empty or
            occurs twice, or the file is no table.
    """
    if not path.is_file():
        return {}
    text = _text(path)
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        msg = f"{path} is not a table ({error}). Save it as CSV in UTF-8."
        raise DatasetError(msg) from error
    table: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        values = _clean(row)
        if not any(values.values()):
            continue
        _check_row(path, number, values, table)
        table[values[_KEY]] = values
    return table


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its permissions."
        raise DatasetError(msg) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # older spreadsheets


def _clean(row: dict[str | None, str | list[str] | None]) -> dict[str, str]:
    return {
        name.strip().lower(): value.strip()
        for name, value in row.items()
        if isinstance(name, str) and isinstance(value, str)
    }


def _check_row(
    path: Path, number: int, values: dict[str, str], table: dict[str, dict[str, str]]
) -> None:
    if _KEY not in values:
        msg = (
            f"{path} has no column {_KEY!r} but {', '.join(values)}. "
            "Name the column that holds the images' names without suffix so."
        )
        raise DatasetError(msg)
    if not values[_KEY]:
        msg = f"{path}: the {_KEY} in row {number} is empty. Fill it in."
        raise DatasetError(msg)
    if values[_KEY] in table:
        msg = f"{path}: {values[_KEY]!r} is listed twice (row {number}). Remove one."
        raise DatasetError(msg)
