"""Anybody's own data: `images/`, `masks/` and, if there is one, `cases.csv`."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lungcli.data.case import (
    AuditFinding,
    Case,
    CaseKey,
    Convention,
    Issue,
    Layout,
    MaskFiles,
    SourceListing,
)
from lungcli.data.prepared import is_prepared
from lungcli.data.sources import listing
from lungcli.data.sources.case_table import TABLE_NAME, read_case_table
from lungcli.system.files import printable, real_path


class Folder:
    """Read `images/` and `masks/` with the same stem, or `<stem>_mask`.

    The source is called as its folder, in lower case. Its mask convention is
    unknown: a name proves nothing about what somebody drew.
    """

    layout = Layout.FOLDER
    expected = "images/ and masks/ with equal names (or <name>_mask), any image format"

    def matches(self, root: Path) -> bool:
        """Look for `images` and `masks`; a prepared data set is not a source."""
        return (
            listing.subfolder(root, "images") is not None
            and listing.subfolder(root, "masks") is not None
            and not is_prepared(root)
        )

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images with their masks and rows of `cases.csv`.

        Raises:
            DatasetError: If there is no image, or `cases.csv` cannot be used.
        """
        folder = listing.subfolder(root, "images") or root / "images"
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        masks = listing.mask_files(listing.subfolder(root, "masks"), images.by_stem)
        table = read_case_table(root / TABLE_NAME, images.by_stem)
        name = name_of(root) or self.layout
        cases = tuple(
            _case((name, stem), image, masks.by_stem.get(stem), table.get(stem, {}))
            for stem, image in images.by_stem.items()
        )
        found = listing.list_source(name, root, self.layout, cases, (images, masks))
        rows = _unknown_rows(name, root / TABLE_NAME, table, images.by_stem)
        findings = (*found.findings, *rows)
        return (replace(found, convention=Convention.UNKNOWN, findings=findings),)


def name_of(root: Path) -> str:
    """Return what a folder is called, in lower case; empty if it is the topmost."""
    return printable(real_path(root).name.lower())


def _case(key: CaseKey, image: Path, mask: Path | None, row: Mapping[str, str]) -> Case:
    name, stem = key
    return Case(
        case_id=stem,
        patient_id=row.get("patient_id") or stem,
        source=name,
        image_path=image,
        masks=MaskFiles(combined=(mask,)) if mask else None,
        finding=row.get("finding", ""),
        sex=row.get("sex", ""),
        age=row.get("age", ""),
        view=row.get("view", ""),
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
