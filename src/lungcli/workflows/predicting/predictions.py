"""What became of all X-rays of a call."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli.system.files import printable
from lungcli.system.urls import Url
from lungcli.workflows.predicting.record import Entry, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What became of all X-rays.

    Attributes:
        counts: X-rays by status: `ok`, `doubtful`, `refused`, `failed`.
        skipped: How many of them were finished by an earlier call.
        paths: The tables and the sheet.
        out: The output folder.
        corrected: How many were turned, mirrored or inverted for the network.
        entries: One an X-ray, in the order of the inputs, without what they
            contributed to tables; empty unless it was asked for.
    """

    counts: Counter[str]
    skipped: int
    corrected: int
    paths: tuple[Path | Url, ...]
    out: Path | Url
    entries: tuple[Entry, ...]

    @property
    def total(self) -> int:
        """Number of X-rays."""
        return self.counts.total()

    @property
    def labelled(self) -> int:
        """Number of X-rays with a label map."""
        return self.counts[Status.OK] + self.counts[Status.DOUBTFUL]

    @property
    def doubtful(self) -> int:
        """How many of these a person should look at."""
        return self.counts[Status.DOUBTFUL]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON document, with one entry a file."""
        return {
            "counts": {each.value: self.counts[each] for each in Status},
            "skipped": self.skipped,
            "corrected": self.corrected,
            "paths": [str(path) for path in self.paths],
            "files": [_document(entry, self.out) for entry in self.entries],
        }


def sum_up(
    entries: Iterable[Entry],
    *,
    out: Path | Url,
    paths: Sequence[Path],
    skipped: int = 0,
    collect: bool = False,
) -> Predictions:
    """Return what became of X-rays.

    Args:
        entries: Of all of them; one at a time is in memory.
        out: The output folder.
        paths: The tables and the sheet, in this folder or a private one.
        skipped: How many were finished by an earlier call.
        collect: Whether to return each, without what it contributed to tables.
    """
    counts: Counter[str] = Counter()
    corrected = 0
    collected = []
    for entry in entries:
        counts[entry.status.value] += 1
        corrected += bool(entry.record.corrected)
        if collect:
            collected.append(entry.without_tables())
    return Predictions(
        counts=counts,
        skipped=skipped,
        corrected=corrected,
        paths=tuple(out / path.name for path in paths),
        out=out,
        entries=tuple(collected),
    )


def _document(entry: Entry, out: Path | Url) -> dict[str, Any]:
    return {
        "image": printable(entry.shown),
        "status": entry.status.value,
        "paths": [str(out / name) for name in entry.outputs],
        "error": None,
        **entry.record.to_document(),
    }
