"""The scores of each case as a table, `cases.csv`."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lungcli.metrics.overlap import LUNGS
from lungcli.system.files import Cell, csv_cell, write_text
from lungcli.workflows.evaluating.scoring import Scored

CASES_CSV: Final = "cases.csv"


def row_of(scored: Scored, columns: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return the row of one case.

    Args:
        scored: The case.
        columns: Further columns, behind those that say which case it is.
    """
    scores, facts = scored.scores, scored.scores.facts
    spacing = facts.spacing_mm or ("", "")
    row: dict[str, Cell] = {
        "source": facts.source,
        "case_id": facts.case_id,
        "patient_id": facts.patient_id,
        "split": scored.split,
        **columns,
        "height": facts.height,
        "width": facts.width,
        "spacing_row_mm": spacing[0],
        "spacing_column_mm": spacing[1],
        "missed": " ".join(scores.missed),
        "swapped": "yes" if scores.swapped else "",
    }
    if scores.ignored:
        row["ignored_px"] = scores.ignored
    for structure, values in scores.scores.items():
        prefix = "" if structure == LUNGS else f"{structure}_"
        for name, value in values.items():
            row[f"{prefix}{name}"] = round(value, 6)
    return row


def write_cases(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write one row a case; what is undefined stays empty.

    Raises:
        OutputError: If the file cannot be written.
    """
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, fieldnames=names, restval="")
    writer.writeheader()
    writer.writerows({name: csv_cell(v) for name, v in row.items()} for row in rows)
    write_text(path, text.getvalue())
