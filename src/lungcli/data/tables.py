"""Tables that people wrote: CSV as any spreadsheet saves it."""

import csv
import io
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.data.images import IMAGE_SUFFIXES, RAW_SUFFIX
from lungcli.errors import DatasetError

_DELIMITERS: Final = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty.

    Attributes:
        where: File and line, for messages.
        cells: Stripped, by column name in lower case; every required column is
            there, though its cell may be empty.
    """

    where: str
    cells: dict[str, str]


def read_table(path: Path, required: Sequence[str]) -> tuple[Row, ...]:
    """Read a table with a header.

    Comma, semicolon or tab, with or without byte order mark, UTF-8 or (older
    spreadsheets) Latin-1, any line ends. Accents are composed (NFC), since file
    names may spell them either way.

    Args:
        path: The file.
        required: Columns that must be there.

    Raises:
        DatasetError: If the file cannot be read, is no table, or lacks a column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = (
            f"cannot read {path} ({error.strerror}). "
            f"Give a CSV file with {_named(required)}."
        )
        raise DatasetError(msg) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return parse_table(text, str(path), required)


def parse_table(text: str, name: str, required: Sequence[str]) -> tuple[Row, ...]:
    """Parse the text of a table; `name` is what messages call it.

    Raises:
        DatasetError: If it is no table, or lacks a column.
    """
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    normal = io.StringIO(unicodedata.normalize("NFC", text), newline="")
    reader = csv.reader(normal, delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        msg = f"{name}, line {reader.line_num}: no table ({error}). Save it as CSV."
        raise DatasetError(msg) from error
    columns = [cell.lower() for cell in lines[0][1]] if lines else []
    _check_columns(columns, name, required)
    empty = dict.fromkeys(required, "")
    return tuple(
        Row(f"{name}, line {number}", empty | dict(zip(columns, cells, strict=False)))
        for number, cells in lines[1:]
        if any(cells)
    )


def meant_stem(name: str, stems: Container[str]) -> str:
    """Return the stem that a table means by a name: people also list whole files.

    Examples:
        >>> meant_stem("a.png", {"a"}), meant_stem("b.png", {"b.png"})
        ('a', 'b.png')
    """
    path = Path(name)
    is_file = path.suffix.lower() in IMAGE_SUFFIXES | {RAW_SUFFIX}
    return path.stem if is_file and name not in stems else name


def _check_columns(columns: Sequence[str], name: str, required: Sequence[str]) -> None:
    if not all(column.isprintable() for column in columns):
        msg = f"{name} is no text. Save the table as CSV in UTF-8."
        raise DatasetError(msg)
    if not set(required) <= set(columns):
        verb = "is" if len(required) == 1 else "are"
        there = ", ".join(column for column in columns if column) or "none"
        msg = f"{name}, line 1: {_named(required)} {verb} needed, there are: {there}."
        raise DatasetError(msg)


def _named(columns: Sequence[str]) -> str:
    plural = "s" if len(columns) > 1 else ""
    return f"the column{plural} {' and '.join(columns)}"
