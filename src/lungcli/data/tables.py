"""Tables that people wrote: CSV as any spreadsheet saves it."""

import csv
import io
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.data.inputs.kinds import has_image_suffix
from lungcli.errors import DatasetError
from lungcli.system.files import read_plain

_DELIMITERS: Final = (",", ";", "\t")
_MOST_BYTES: Final = 2**25  # a row each for hundreds of thousands of cases
# What may be a file name is normalised. Longer text is left alone: normalising takes
# time by the square of the number of accents on one letter.
_LONGEST_NAME: Final = 255


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
        DatasetError: If the file cannot be read, is too large, is no table, or lacks
            a column.
    """
    try:
        data = read_plain(path, _MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        msg = f"cannot read {path} ({reason}). Give a CSV file with {_named(required)}."
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
    if "\0" in text:  # UTF-16, or no text at all
        raise _no_text(name)
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [_tidy(cell) for cell in row]) for row in reader]
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
    is_file = has_image_suffix(name)
    return Path(name).stem if is_file and name not in stems else name


def _tidy(cell: str) -> str:
    text = cell.strip()
    return text if len(text) > _LONGEST_NAME else unicodedata.normalize("NFC", text)


def _no_text(name: str) -> DatasetError:
    return DatasetError(f"{name} is no text. Save the table as CSV in UTF-8.")


def _check_columns(columns: Sequence[str], name: str, required: Sequence[str]) -> None:
    if not all(column.isprintable() for column in columns):
        raise _no_text(name)
    if not set(required) <= set(columns):
        verb = "is" if len(required) == 1 else "are"
        there = ", ".join(column for column in columns if column) or "none"
        msg = f"{name}, line 1: {_named(required)} {verb} needed, there are: {there}."
        raise DatasetError(msg)


def _named(columns: Sequence[str]) -> str:
    plural = "s" if len(columns) > 1 else ""
    return f"the column{plural} {' and '.join(columns)}"
