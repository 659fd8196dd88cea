"""A table with one line for each X-ray of a journal."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lungcli.system.files import Cell, csv_cell, whole_file
from lungcli.workflows.predicting.journal import Entry


def write_table(
    path: Path,
    columns: Sequence[str],
    entries: Iterable[Entry],
    row: Callable[[Entry], Sequence[Cell]],
) -> None:
    """Write one line of CSV for each entry, one at a time.

    Args:
        path: The table, UTF-8.
        columns: Its first line.
        entries: What becomes of each X-ray, in the order of the table.
        row: Returns the cells of an entry, one each column.

    Raises:
        OutputError: If the table cannot be written.
    """
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for entry in entries:
            writer.writerow([csv_cell(value) for value in row(entry)])
