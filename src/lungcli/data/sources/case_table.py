"""`cases.csv` beside somebody's images: who the patient is, and what is known."""

import math
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

from lungcli.data.tables import Row, meant_stem, read_table
from lungcli.errors import DatasetError

TABLE_NAME: Final = "cases.csv"
_KEY: Final = "case_id"
_RATIO: Final = "ctr"  # cardiothoracic ratio


def read_case_table(path: Path, stems: Container[str]) -> dict[str, dict[str, str]]:
    """Read the rows by case_id; empty if there is no such file.

    Args:
        path: The file.
        stems: Of the images; a row may also name the whole file.

    Raises:
        DatasetError: If the file is no table, the column case_id is missing, a
            case_id is empty or occurs twice, or a ctr is no ratio.
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
        _check_ratio(row)
        table[case_id] = row.cells
    return table


def ratio_of(cells: Mapping[str, str]) -> float | None:
    """Return the cardiothoracic ratio of a row; None if it has none."""
    text = cells.get(_RATIO, "")
    return float(text) if text else None


def _check_ratio(row: Row) -> None:
    try:
        ratio = ratio_of(row.cells)
    except ValueError:
        ratio = math.nan
    if ratio is not None and not 0 < ratio < 1:
        msg = (
            f"{row.where}: the {_RATIO} is {row.cells[_RATIO]!r}. Give the heart's "
            "width by the chest's, between 0 and 1, or nothing."
        )
        raise DatasetError(msg)
