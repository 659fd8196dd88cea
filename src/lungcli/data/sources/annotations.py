"""Images with one file of masks for all: COCO JSON, or a table of run lengths."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.case import (
    AuditFinding,
    Issue,
    Layout,
    MaskEntry,
    SourceListing,
)
from lungcli.data.inputs.folder import images_below
from lungcli.data.mask_tables import looks_like_table, open_table
from lungcli.data.prepared import is_prepared
from lungcli.data.sources import listing
from lungcli.data.sources.own import list_own
from lungcli.errors import DatasetError, ImageError

_SUFFIXES: Final = (".json", ".csv")
_FOLDERS: Final = ("", "annotations", "masks", "labels")  # where such files lie


class Annotations:
    """Read `images/` with `annotations.json`, CVAT's `annotations/*.json`, `rle.csv`.

    A file in CheXmask's form has a column for each structure; COCO has categories.
    """

    layout = Layout.ANNOTATIONS
    expected = "images/ with a COCO JSON file or a table of run lengths beside it"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for images, and for a file of masks."""
        is_source = not is_prepared(root) and not _has_masks(root)
        return {
            "images/": is_source and listing.subfolder(root, "images") is not None,
            "a COCO JSON file or a table of run lengths": is_source
            and bool(tables_in(root)),
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images with their entries.

        Raises:
            DatasetError: If there is no image, several files of masks, or one that
                cannot be read.
        """
        folder = listing.subfolder(root, "images") or root / "images"
        images = images_of(folder)
        listing.require_images(images, folder, self.expected)
        entries, findings = match(_one_of(tables_in(root)), images, folder)
        found = list_own(root, self.layout, images, {}, entries=entries)
        own = (replace(finding, source=found.name) for finding in findings)
        return (replace(found, findings=(*found.findings, *own)),)


def _has_masks(root: Path) -> bool:
    """Tell whether the X-rays have masks of their own, which go first."""
    masks = listing.subfolder(root, "masks")
    return bool(masks and listing.mask_files(masks, ()).by_stem)


def tables_in(root: Path) -> list[Path]:
    """Return the files of masks of many X-rays in a folder or its usual subfolders."""
    folders = (root if not name else listing.subfolder(root, name) for name in _FOLDERS)
    return [
        path
        for folder in folders
        if folder is not None
        for path in listing.shown_files(folder)
        if path.suffix.lower() in _SUFFIXES and looks_like_table(path)
    ]


def images_of(folder: Path) -> listing.Files:
    """Return the X-rays in a folder and all below, by their place without suffix."""
    names = images_below(folder, None)
    return listing.sort_out((listing.image_stem(name), folder / name) for name in names)


def match(
    table: Path, images: listing.Files, folder: Path
) -> tuple[dict[str, MaskEntry], tuple[AuditFinding, ...]]:
    """Find the entry of each image.

    An entry names an image by its place, with or without suffix, or by its name alone
    where only one image is called so.

    Args:
        table: The file of masks.
        images: By their place below the folder, without suffix.
        folder: Of the images.

    Returns:
        The entries by the images' keys, and a finding of those without image.

    Raises:
        DatasetError: If the file cannot be read.
    """
    try:
        names = open_table(table).names
    except ImageError as error:
        raise DatasetError(str(error)) from error
    keys = _spellings(images.by_stem, folder)
    entries: dict[str, MaskEntry] = {}
    missing = []
    for name in names:
        key = next((keys[each] for each in _places(name) if each in keys), None)
        if key is None:
            missing.append(name)
        else:
            entries.setdefault(key, MaskEntry(table, name))
    return entries, _without_image(table, missing)


def _spellings(images: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Return the key of each image by all that an entry may call it."""
    bare = Counter(PurePosixPath(key).name for key in images)
    spellings: dict[str, str] = {}
    for key, path in images.items():
        name = PurePosixPath(key).name
        if bare[name] == 1:
            spellings |= {name: key, path.name: key}
    for key, path in images.items():  # surer names last: they win
        spellings |= {key: key, path.relative_to(folder).as_posix(): key}
    return spellings


def _places(name: str) -> Sequence[str]:
    """Return what an entry's name may mean: it, and what lies below `images/`."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    below = ["/".join(parts[at:]) for at in range(len(parts))]
    return [*below, *(listing.image_stem(each) for each in below)]


def _without_image(table: Path, names: Sequence[str]) -> tuple[AuditFinding, ...]:
    return tuple(
        AuditFinding(
            issue=Issue.NO_IMAGE,
            source="",
            case_id=name,
            path=table,
            detail=f"{name}: masks without their image",
            action="left out",
        )
        for name in names
    )


def _one_of(tables: Iterable[Path]) -> Path:
    found = list(tables)
    if len(found) > 1:
        told = " and ".join(map(str, found[:2]))
        msg = f"{told} both hold masks of many X-rays. Keep one of them there."
        raise DatasetError(msg)
    return found[0]
