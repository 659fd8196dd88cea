"""What `prepare` tells of a data set that it has written, on paper and in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli.data.case import AuditFinding, CaseKey, Convention, SourceListing
from lungcli.data.knowledge import of_convention
from lungcli.data.prepared import (
    AUDIT_CSV,
    CASES_CSV,
    CONTACT_SHEET,
    DATASET_JSON,
    SPLITS,
)
from lungcli.data.storing import StoredCase
from lungcli.system.files import printable, real_path
from lungcli.system.urls import Url
from lungcli.workflows.preparing.structures import drawn_beside_lungs


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """What became of the cases of one source.

    Attributes:
        name: Of the source.
        layout: That it was read as.
        convention: Of its masks, as the source says.
        splits: Cases with mask in each of `SPLITS`.
        not_listed: Cases with mask that a split file leaves out.
        no_mask: Cases kept without mask.
        left_out: Cases whose image cannot be used.
    """

    name: str
    layout: str
    convention: Convention
    splits: Mapping[str, int]
    not_listed: int
    no_mask: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareReport:
    """What was prepared, and what the audit found.

    Attributes:
        out: Folder of the data set, or its URL.
        convention: Of all its masks.
        sources: Counts of each source.
        findings: As in `audit.csv`, with whole paths or URLs.
        notes: What a person should know, and need not mend.
    """

    out: Path | Url
    convention: Convention
    sources: tuple[SourceCounts, ...]
    findings: tuple[AuditFinding, ...]
    notes: tuple[str, ...] = ()

    @property
    def audit_path(self) -> Path | Url:
        """Where the findings are listed."""
        return self.out / AUDIT_CSV

    @property
    def sheet_path(self) -> Path | Url:
        """Where some of the cases are drawn."""
        return self.out / CONTACT_SHEET

    @property
    def paths(self) -> tuple[Path | Url, ...]:
        """The files for people."""
        names = (CASES_CSV, AUDIT_CSV, CONTACT_SHEET, DATASET_JSON)
        return tuple(self.out / name for name in names)


def count_cases(
    listing: SourceListing, stored: Sequence[StoredCase], splits: Mapping[CaseKey, str]
) -> SourceCounts:
    """Count what became of the cases of a source, given the split of each."""
    own = [each for each in stored if each.case.source == listing.name]
    rows = [each.row for each in own if each.row is not None]
    used = Counter(splits.get(row.key, "") for row in rows if row.has_mask)
    return SourceCounts(
        name=listing.name,
        layout=listing.layout,
        convention=listing.convention,
        splits={split: used[split] for split in SPLITS},
        not_listed=used[""],
        no_mask=sum(not row.has_mask for row in rows),
        left_out=len(own) - len(rows),
    )


def describe_sources(
    listings: Sequence[SourceListing],
    counts: Sequence[SourceCounts],
    stored: Sequence[StoredCase],
    chosen: Convention | None,
) -> list[dict[str, Any]]:
    """Return what `dataset.json` says of each source.

    Args:
        listings: The sources.
        counts: Of each of them.
        stored: Every case of every source.
        chosen: The convention that the user says; None leaves it to the sources.
    """
    return [
        {
            "name": listing.name,
            "folder": printable(real_path(listing.root).name),
            "layout": listing.layout,
            "convention": listing.convention.value,
            "cases": len(listing.cases),
            **count.splits,
            "not_listed": count.not_listed,
            "no_mask": count.no_mask,
            "left_out": count.left_out,
            "structures": of_convention(
                chosen or listing.convention, drawn_beside_lungs(stored, listing.name)
            ),
        }
        for listing, count in zip(listings, counts, strict=True)
    ]
