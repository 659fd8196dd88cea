"""The tables of a prepared data set; `prepared` reads them back."""

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lungcli._version import __version__
from lungcli.data.case import AuditFinding, Convention
from lungcli.data.prepared import (
    AUDIT_CSV,
    CASES_CSV,
    DATASET_JSON,
    FORMAT_VERSION,
    SPLITS,
    PreparedCase,
)
from lungcli.system.files import csv_cell, write_json, write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What `dataset.json` says beside the counts.

    Attributes:
        name: Names of the sources, joined by `+`.
        size: The largest side of a stored square.
        seed: Of the split.
        split: How the cases were split, e.g. `{"method": "patient", "val": 0.15}`.
        convention: Whether the masks count the heart's shadow as lung.
        sources: One entry a source.
        fingerprint: From `join_fingerprints`.
    """

    name: str
    size: int
    seed: int
    split: Mapping[str, Any]
    convention: Convention
    sources: Sequence[Mapping[str, Any]]
    fingerprint: str


def write_cases(folder: Path, cases: Iterable[PreparedCase]) -> None:
    """Write `cases.csv`, one row a case."""
    _write_table(folder / CASES_CSV, [_row(case) for case in cases])


def write_audit(
    folder: Path, findings: Iterable[AuditFinding], roots: Mapping[str, Path]
) -> None:
    """Write `audit.csv`, one row a finding.

    Args:
        folder: The data set.
        findings: In the order of the table.
        roots: Folder of each source. Paths are written relative to it, so that the
            same data give the same bytes wherever they lie.
    """
    rows = [_finding_row(finding, roots.get(finding.source)) for finding in findings]
    columns = [field.name for field in fields(AuditFinding)]
    _write_table(folder / AUDIT_CSV, rows, columns)


def write_facts(
    folder: Path, facts: DatasetFacts, cases: Sequence[PreparedCase]
) -> None:
    """Write `dataset.json`; it holds no time and no path, so that bytes repeat."""
    counts = {
        split: sum(case.split == split and case.has_mask for case in cases)
        for split in SPLITS
    }
    document = {
        "format_version": FORMAT_VERSION,
        "lungcli_version": __version__,
        "name": facts.name,
        "size": facts.size,
        "seed": facts.seed,
        "convention": facts.convention.value,
        "split": dict(facts.split),
        "sources": [dict(source) for source in facts.sources],
        "counts": {"cases": len(cases), **counts},
        "fingerprint": facts.fingerprint,
    }
    write_json(folder / DATASET_JSON, document)


def join_fingerprints(fingerprints: Iterable[str]) -> str:
    """Return the SHA-256 over those of the cases, in order."""
    digest = hashlib.sha256()
    for fingerprint in fingerprints:
        digest.update(bytes.fromhex(fingerprint))
    return digest.hexdigest()


def _row(case: PreparedCase) -> dict[str, Any]:
    spacing = case.spacing_mm or ("", "")
    geometry = case.geometry
    return {
        "case_id": csv_cell(case.case_id),
        "patient_id": csv_cell(case.patient_id),
        "source": csv_cell(case.source),
        "split": case.split,
        "image": case.image,
        "mask": case.mask,
        "reference": case.reference,
        "original_height": geometry.height,
        "original_width": geometry.width,
        "side": geometry.side,
        "top": geometry.top,
        "left": geometry.left,
        "content_height": geometry.content_height,
        "content_width": geometry.content_width,
        "spacing_row_mm": spacing[0],
        "spacing_column_mm": spacing[1],
        "sides": case.sides,
        "window_low": f"{case.window_low:g}",
        "window_high": f"{case.window_high:g}",
        "finding": csv_cell(case.finding),
        "sex": csv_cell(case.sex),
        "age": csv_cell(case.age),
        "view": csv_cell(case.view),
        "ctr": "" if case.ctr is None else f"{case.ctr:g}",
        "notes": csv_cell(case.notes),
    }


def _finding_row(finding: AuditFinding, root: Path | None) -> dict[str, Any]:
    path, detail = Path(str(finding.path)), finding.detail
    is_name = path.parent == Path() and path != root  # of a split list
    if root is not None and not is_name:
        path = Path(os.path.relpath(path, root))
        below_root = rf"(?<![^\s'\"(]){re.escape(f'{root}{os.sep}')}"
        detail = re.sub(below_root, "", detail)
        detail = detail.replace(str(finding.path), path.as_posix())
    return {
        "issue": finding.issue.value,
        "source": csv_cell(finding.source),
        "case_id": csv_cell(finding.case_id),
        "path": csv_cell(path.as_posix()),
        "detail": csv_cell(detail),
        "action": finding.action,
    }


def _write_table(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()
) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, stream.getvalue())
