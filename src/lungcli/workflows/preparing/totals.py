"""What `prepare` tells of a data set that it has written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lungcli.data.case import AuditFinding, Convention
from lungcli.data.prepared import AUDIT_CSV, CASES_CSV, CONTACT_SHEET, DATASET_JSON
from lungcli.system.urls import Url


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
    """

    out: Path | Url
    convention: Convention
    sources: tuple[SourceCounts, ...]
    findings: tuple[AuditFinding, ...]

    @property
    def audit_path(self) -> Path | Url:
        """Where the findings are listed."""
        return self.out / AUDIT_CSV

    @property
    def paths(self) -> tuple[Path | Url, ...]:
        """The files for people."""
        names = (CASES_CSV, AUDIT_CSV, CONTACT_SHEET, DATASET_JSON)
        return tuple(self.out / name for name in names)
