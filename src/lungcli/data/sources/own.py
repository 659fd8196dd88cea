"""What the layouts of people's own data share: `cases.csv`, and the source's name."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lungcli.data.case import (
    AuditFinding,
    Case,
    CaseKey,
    Convention,
    Issue,
    MaskEntry,
    MaskFiles,
    SourceListing,
)
from lungcli.data.sources import listing
from lungcli.data.sources.case_table import TABLE_NAME, ratio_of, read_case_table
from lungcli.system.files import printable, real_path


def list_own(
    root: Path,
    layout: str,
    images: listing.Files,
    apart: Mapping[str, listing.Files],
    combined: listing.Files | None = None,
    entries: Mapping[str, MaskEntry] | None = None,
    *,
    table: Path | None = None,
) -> SourceListing:
    """List images with their masks and their rows of `cases.csv`.

    The source is called as its folder, in lower case. Its mask convention is
    unknown: a name proves nothing about what somebody drew.

    Args:
        root: Folder of the source.
        layout: Its layout.
        images: The images.
        apart: Masks of one structure each, by its key.
        combined: Masks of both lungs.
        entries: Masks in a file of many, by the image's stem.
        table: Its `cases.csv`; None for the one in `root`.

    Raises:
        DatasetError: If `cases.csv` cannot be used.
    """
    path = table or root / TABLE_NAME
    rows = read_case_table(path, images.by_stem)
    name = name_of(root) or layout
    cases = tuple(
        _case(
            (name, stem),
            image,
            listing.masks_of(stem, apart, combined, (entries or {}).get(stem)),
            rows.get(stem, {}),
        )
        for stem, image in images.by_stem.items()
    )
    masks = (*apart.values(), *((combined,) if combined else ()))
    found = listing.list_source(name, root, layout, cases, (images, *masks))
    unknown = _unknown_rows(name, path, rows, images.by_stem)
    findings = (*found.findings, *unknown)
    return replace(found, convention=Convention.UNKNOWN, findings=findings)


def name_of(root: Path) -> str:
    """Return what a folder is called, in lower case; empty if it is the topmost."""
    return printable(real_path(root).name.lower())


def _case(
    key: CaseKey, image: Path, masks: MaskFiles | None, row: Mapping[str, str]
) -> Case:
    name, stem = key
    return Case(
        case_id=stem,
        patient_id=row.get("patient_id") or stem,
        source=name,
        image_path=image,
        masks=masks,
        finding=row.get("finding", ""),
        sex=row.get("sex", ""),
        age=row.get("age", ""),
        view=row.get("view", ""),
        ctr=ratio_of(row),
    )


def _unknown_rows(
    name: str,
    path: Path,
    table: Mapping[str, Mapping[str, str]],
    images: Container[str],
) -> Iterator[AuditFinding]:
    for case_id in table:
        if case_id not in images:
            yield AuditFinding(
                issue=Issue.NOT_FOUND,
                source=name,
                case_id=case_id,
                path=path,
                detail=f"a row of {path.name} without its image",
                action="ignored",
            )
