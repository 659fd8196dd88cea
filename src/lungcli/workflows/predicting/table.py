"""`predictions.csv` and the JSON document: what became of each X-ray."""

from pathlib import Path
from typing import Any, Final

from lungcli.system.files import Cell, printable
from lungcli.system.urls import Url
from lungcli.workflows.predicting.journal import FAILED, Entry
from lungcli.workflows.predicting.labelling import DOUBTFUL, OK, REFUSED

STATUSES: Final = (OK, DOUBTFUL, REFUSED, FAILED)
COLUMNS: Final = (
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
_LISTS: Final = ("corrected", "doubts", "notes")


def table_row(entry: Entry) -> list[Cell]:
    """Return the cells of an X-ray, one for each of `COLUMNS`."""
    record = entry.record
    row_mm, column_mm = record.get("spacing_mm") or (None, None)
    said = {name: "; ".join(record.get(name, ())) for name in _LISTS}
    cells: dict[str, Cell] = {
        **{name: record.get(name) for name in COLUMNS},
        **said,
        "file": entry.shown,
        "status": entry.status,
        "spacing_row_mm": row_mm,
        "spacing_column_mm": column_mm,
        "outputs": "; ".join(entry.outputs),
    }
    return [cells[name] for name in COLUMNS]


def entry_document(entry: Entry, out: Path | Url) -> dict[str, Any]:
    """Return what is known of an X-ray as a JSON document."""
    return {
        "image": printable(entry.shown),
        "status": entry.status,
        "paths": [str(out / name) for name in entry.outputs],
        "error": None,
        **entry.record,
    }
