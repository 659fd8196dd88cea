"""The files for all X-rays: `predictions.csv`, and those of some formats."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from lungcli.anatomy import LUNGS, Structure
from lungcli.metrics.measures import measure_columns
from lungcli.outputs.coco import CocoEntry, write_coco
from lungcli.outputs.rle import write_rle
from lungcli.system.files import Cell, csv_cell, whole_file
from lungcli.workflows.predicting.formats import COCO, CSV, RLE, TABLES
from lungcli.workflows.predicting.record import Entry, Film, Finding
from lungcli.workflows.predicting.shards import WHOLE, Shard

PREDICTIONS: Final = "predictions.csv"

_COLUMNS: Final = (
    "file",
    "name",
    "status",
    "lungs",
    "quality",
    "seconds",
    "corrected",
    "doubts",
    "notes",
    "height",
    "width",
    "spacing_row_mm",
    "spacing_column_mm",
    "spacing_source",
    "outputs",
    "error",
)

Entries = Callable[[], Iterable[Entry]]  # begins anew at every call


def write_tables(
    out: Path,
    entries: Entries,
    formats: Sequence[str],
    shard: Shard = WHOLE,
    structures: Sequence[Structure] = LUNGS,
) -> list[Path]:
    """Write the files for all X-rays from what is known of each.

    Args:
        out: The output folder.
        entries: In the order of the tables; one at a time is in memory.
        formats: The wanted ones.
        shard: Which part of all X-rays these are.
        structures: Those that are written.

    Returns:
        `predictions.csv`, then the files of the formats.

    Raises:
        OutputError: If a file cannot be written.
    """
    table = out / shard.named(PREDICTIONS)
    write_table(table, _COLUMNS, entries(), _prediction)
    paths = {name: out / shard.named(TABLES[name]) for name in TABLES}
    if RLE in formats:
        write_rle(_parts(entries(), RLE), paths[RLE], structures)
    if COCO in formats:
        cases = (CocoEntry(**part) for part in _parts(entries(), COCO))
        write_coco(cases, paths[COCO], structures)
    if CSV in formats:
        measured = (entry for entry in entries() if CSV in entry.record.tables)
        columns = ("file", "name", *_measured_columns(entries()))
        write_table(paths[CSV], columns, measured, _measures)
    return [table, *(path for name, path in paths.items() if name in formats)]


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


def _parts(entries: Iterable[Entry], name: str) -> Iterator[dict[str, Any]]:
    """Yield what each X-ray contributes to the file of a format."""
    for entry in entries:
        if name in entry.record.tables:
            yield entry.record.tables[name]


def _measured_columns(entries: Iterable[Entry]) -> Sequence[str]:
    """Return the measures of the first X-ray: all are of what the model draws."""
    measured = (entry.record.tables.get(CSV) for entry in entries)
    return next((tuple(each) for each in measured if each), measure_columns())


def _measures(entry: Entry) -> list[Cell]:
    return [entry.shown, entry.record.name, *entry.record.tables[CSV].values()]


def _prediction(entry: Entry) -> list[Cell]:
    record = entry.record
    return [
        entry.shown,
        record.name,
        entry.status,
        *_finding(record.finding),
        record.seconds,
        *_film(record.film),
        "; ".join(entry.outputs),
        record.error,
    ]


def _finding(finding: Finding | None) -> list[Cell]:
    return [None] * 2 if finding is None else [finding.lungs, finding.quality]


def _film(film: Film | None) -> list[Cell]:
    if film is None:
        return [None] * 8
    return [
        "; ".join(film.corrected),
        "; ".join(film.doubts),
        "; ".join(film.notes),
        film.height,
        film.width,
        *(film.spacing_mm or (None, None)),
        film.spacing_source,
    ]
