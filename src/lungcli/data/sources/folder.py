"""Anybody's own data: `images/`, `masks/` and, if there is one, `cases.csv`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lungcli.data.case import (
    AuditFinding,
    Case,
    Convention,
    Issue,
    MaskFiles,
    SourceListing,
)
from lungcli.data.sources import listing
from lungcli.data.sources.case_table import TABLE_NAME, read_case_table


class Folder:
    """Read `images/` and `masks/` with the same stem, or `<stem>_mask`.

    The source is called as its folder, in lower case. Its mask convention is
    unknown: a name proves nothing about what somebody drew.
    """

    layout = "folder"
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
            DatasetError: If there is no image, two images have the same stem, or
                `cases.csv` cannot be used.
        """
        folder = listing.subfolder(root, "images") or root / "images"
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        mask_folder = listing.subfolder(root, "masks")
        masks = listing.mask_files(mask_folder, images) if mask_folder else {}
        table = read_case_table(root / TABLE_NAME)
        name = root.resolve().name.lower() or self.layout
        cases = tuple(
            _case(name, image, masks.get(stem), table.get(stem, {}))
            for stem, image in images.items()
        )
        findings = (
            *listing.missing_masks(cases),
            *listing.missing_images(name, masks, images),
            *_unknown_rows(name, root / TABLE_NAME, table, images),
        )
        found = SourceListing(
            name=name,
            root=root,
            convention=Convention.UNKNOWN,
            cases=cases,
            findings=findings,
            layout=self.layout,
        )
        return (found,)


def is_prepared(root: Path) -> bool:
    """Tell whether a folder is what `lungcli prepare` writes."""
    return (root / "dataset.json").is_file()


def _case(name: str, image: Path, mask: Path | None, row: Mapping[str, str]) -> Case:
    return Case(
        case_id=image.stem,
        patient_id=row.get("patient_id") or image.stem,
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
    images: Mapping[str, Path],
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
