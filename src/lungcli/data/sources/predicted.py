"""Masks in a folder of their own, whose X-rays lie elsewhere: what `predict` leaves."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.case import Layout, MaskEntry, SourceListing
from lungcli.data.journal import journals_in, read_journal
from lungcli.data.mask_files import MASK_SUFFIXES
from lungcli.data.sources import listing
from lungcli.data.sources.annotations import images_of, match, tables_in
from lungcli.data.sources.case_table import TABLE_NAME
from lungcli.data.sources.own import list_own
from lungcli.errors import DatasetError
from lungcli.system.urls import is_url

# What is appended to the name of an X-ray, the surest first: several may be there.
_ENDS: Final = (".png", "_mask.png", ".nii.gz", "_seg.dcm", *MASK_SUFFIXES)


class Predicted:
    """Read what `lungcli predict` has written; its journal names the X-rays."""

    layout = Layout.PREDICTED
    expected = "a folder of masks with the predictions.jsonl of lungcli predict"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for the journal."""
        alone = listing.subfolder(root, "images") is None
        return {"predictions.jsonl": alone and bool(journals_in(root))}

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the X-rays of the journal that have a mask.

        Raises:
            DatasetError: If the journal cannot be read, or an X-ray is not there.
        """
        images = dict(_images(root))
        if not images:
            msg = (
                f"the journal in {root} names no X-ray with a mask. Run predict again."
            )
            raise DatasetError(msg)
        return (_list(root, self.layout, listing.sort_out(images.items()), None),)


def list_masks(root: Path, images: Path) -> SourceListing:
    """List the masks in a folder with the X-rays in another, by equal names.

    Args:
        root: Masks, at the places of their X-rays or by their names alone, or one file
            of masks for all.
        images: X-rays, also in folders below; with `cases.csv` in it or beside it.

    Raises:
        DatasetError: If a folder is missing or empty, or nothing matches.
    """
    for folder in (root, images):
        if not folder.is_dir():
            msg = f"there is no folder {folder}. Check the name."
            raise DatasetError(msg)
    found = images_of(images)
    listing.require_images(found, images, "X-rays for the masks")
    listed = _list(root, Layout.PREDICTED, found, images)
    if not any(case.masks for case in listed.cases):
        first = next(iter(found.by_stem.values()))
        seen = next((p.name for p in listing.shown_files(root)), "nothing")
        msg = (
            f"no mask in {root} is called as an X-ray in {images}: the first X-ray is "
            f"{first.name}, the first file there {seen}. Rename them alike."
        )
        raise DatasetError(msg)
    return listed


def _list(
    root: Path, layout: str, images: listing.Files, folder: Path | None
) -> SourceListing:
    masks = {stem: _mask_of(root, stem) for stem in images.by_stem}
    files = {stem: path for stem, path in masks.items() if path}
    entries: dict[str, MaskEntry] = {}
    if len(files) < len(images.by_stem):
        for table in tables_in(root):
            found, _ = match(table, images, folder or _common(images.by_stem.values()))
            entries |= {stem: each for stem, each in found.items() if stem not in files}
    listed = list_own(
        root,
        layout,
        images,
        {},
        listing.Files(files),
        entries,
        table=_table_of(folder) if folder else None,
    )
    return replace(listed, notes=_used(root, files.values(), entries.values()))


def _images(root: Path) -> Iterator[tuple[str, Path]]:
    for journal in journals_in(root):
        for stem, shown in read_journal(journal):
            path = Path(shown)
            if is_url(shown) or not path.is_file():
                msg = (
                    f"{shown}, of which {root} holds a mask, is not there any more, or "
                    "lies in an archive or behind a URL. Say where the X-rays are now: "
                    "--images FOLDER."
                )
                raise DatasetError(msg)
            yield stem, path


def _mask_of(root: Path, stem: str) -> Path | None:
    names = dict.fromkeys((stem, PurePosixPath(stem).name))
    places = (root / f"{name}{end}" for name in names for end in _ENDS)
    return next((place for place in places if place.is_file()), None)


def _table_of(images: Path) -> Path:
    inside = images / TABLE_NAME
    return inside if inside.is_file() else images.parent / TABLE_NAME


def _common(paths: Iterable[Path]) -> Path:
    first, *others = (path.parent for path in paths)
    while not all(other.is_relative_to(first) for other in others):
        first = first.parent
    return first


def _used(
    root: Path, files: Iterable[Path], entries: Iterable[MaskEntry]
) -> tuple[str, ...]:
    """Say which masks were taken where there are several of an X-ray."""
    kinds = {end for path in files if (end := _end_of(path.name))}
    kinds |= {entry.path.name for entry in entries}
    others = {path.name for path in tables_in(root) if path.name not in kinds}
    if not others and len(kinds) <= 1:
        return ()
    return (f"masks were read from {', '.join(sorted(kinds))}.",)


def _end_of(name: str) -> str:
    return next((end for end in MASK_SUFFIXES if name.lower().endswith(end)), "")
