"""`cases.csv` beside somebody's images: who the patient is, and what is known."""

from collections.abc import Container
from pathlib import Path
from typing import Final

from lungcli.data.tables import meant_stem, read_table
from lungcli.errors import DatasetError

TABLE_NAME: Final = "cases.csv"
_KEY: Final = "case_id"


def read_case_table(path: Path, stems: Container[str]) -> dict[str, dict[str, str]]:
    """Read the rows by case_id; empty if there is no such file.

    Args:
        path: The file.
        stems: Of the images; a row may also name the whole file.

    Raises:
        DatasetError: If the file is no table, the column case_id is missing, or a
            case_id is empty or occurs twice.
    """
    if not path.is_file():
        return {}
    table: dict[str, dict[str, str]] = {}
    for row in read_table(path, (_KEY,)):
        case_id = meant_stem(row.cells[_KEY], stems)
        if not case_id:
            msg = f"{row.where}: the {_KEY} is empty. Fill it in."
            raise DatasetError(msg)
        if case_id in table:
            msg = f"{row.where}: {case_id!r} is listed twice. Remove one of the rows."
            raise DatasetError(msg)
        table[case_id] = row.cells
    return table
