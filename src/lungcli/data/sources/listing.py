"""What all layouts share: listing files, pairing them by stem, wording findings."""

import os
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lungcli.data.case import (
    AuditFinding,
    Case,
    Convention,
    Issue,
    MaskEntry,
    MaskFiles,
    SourceListing,
)
from lungcli.data.inputs.folder import is_image
from lungcli.data.inputs.kinds import may_be_dicom
from lungcli.data.mask_files import MASK_SUFFIXES
from lungcli.data.sources.findings import (
    left_out,
    missing_images,
    missing_masks,
    missing_sides,
)
from lungcli.errors import DatasetError
from lungcli.system.files import printable, real_path

# In any case; predict names DICOM-SEG `_seg`.
_MASK_ENDINGS: Final = ("_mask", "-mask", "_seg", "-seg", "_lungs", "_lung", "@")


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one kind in a source.

    Attributes:
        by_stem: The files that are used, sorted. Accents in the stems are composed
            (NFC), since some disks take them apart.
        findings: Those that are not, of no source yet.
    """

    by_stem: Mapping[str, Path]
    findings: tuple[AuditFinding, ...] = ()


def subfolder(root: Path, name: str) -> Path | None:
    """Return the folder `name` in `root`, upper and lower case alike, or None."""
    exact = root / name
    if exact.is_dir():
        return exact
    wanted = name.lower()
    return next((path for path in folders(root) if path.name.lower() == wanted), None)


def folders(root: Path) -> list[Path]:
    """Return the folders in `root` that are not hidden, sorted; empty if unreadable."""
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []
    return [root / name for name in sorted(names) if not name.startswith(".")]


def folders_below(root: Path, depth: int) -> list[Path]:
    """Return the folders down to `depth` levels below `root`, sorted.

    A folder that links reach, too, is listed once, where it lies least deep.
    """
    seen = {os.path.realpath(root)}
    found: list[Path] = []
    level = [root]
    for _ in range(depth):
        below = [path for parent in level for path in folders(parent)]
        level = []
        for path in below:
            place = os.path.realpath(path)
            if place not in seen:
                seen.add(place)
                level.append(path)
        found.extend(level)
    return sorted(found)


def parent_of(folder: Path) -> Path:
    """Return the folder above, also of `Path(".")`, whose `parent` is itself."""
    if folder.name in {"", ".."}:
        return real_path(folder).parent
    return folder.parent


def image_files(folder: Path, suffixes: frozenset[str] | None = None) -> Files:
    """Return the X-rays of a folder; hidden files left out.

    Args:
        folder: Where to look.
        suffixes: Of the files; by default of all that can be read, and DICOM files
            without any.

    Raises:
        DatasetError: If the folder cannot be listed.
    """
    if suffixes is not None:
        return _files(folder, suffixes)
    return sort_out(
        (image_stem(path.name), path)
        for path in shown_files(folder)
        if is_image(str(path))
    )


def image_stem(name: str) -> str:
    """Return the name of an X-ray without its suffix: a UID has dots, and none.

    Examples:
        >>> [image_stem(name) for name in ("a.b.png", "1.2.840.10008", "IM1")]
        ['a.b', '1.2.840.10008', 'IM1']
    """
    return name if may_be_dicom(name) else name[: len(name) - len(Path(name).suffix)]


def _files(folder: Path, suffixes: Iterable[str]) -> Files:
    return sort_out(
        (path.name[: -len(suffix)], path)
        for path in shown_files(folder)
        if (suffix := _suffix(path.name, suffixes))
    )


def shown_files(folder: Path) -> list[Path]:
    """Return what lies in a folder and is not hidden, sorted.

    Raises:
        DatasetError: If the folder cannot be listed.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        msg = f"cannot read {folder}: {error.strerror}. Check its permissions."
        raise DatasetError(msg) from error
    return [path for path in paths if not path.name.startswith(".")]


def _suffix(name: str, suffixes: Iterable[str]) -> str:
    """Return which of some suffixes a name has, the first of them; else nothing."""
    lower = name.lower()
    return next((end for end in suffixes if lower.endswith(end) and lower != end), "")


def _without_ending(stem: str) -> str:
    ending = _suffix(stem, _MASK_ENDINGS)
    return stem.removesuffix(stem[len(stem) - len(ending) :]) if ending else stem


def mask_files(folder: Path | None, images: Container[str]) -> Files:
    """Return the mask files of a folder, if there is one, by their image's stem.

    A mask is called as its image, or so with `_mask`, `-seg` or the like at the end.

    Raises:
        DatasetError: If the folder cannot be listed.
    """
    if folder is None:
        return Files({})
    found = _files(folder, MASK_SUFFIXES)
    paired = sort_out(
        (stem if stem in images else _without_ending(stem), path)
        for stem, path in found.by_stem.items()
    )
    return Files(paired.by_stem, (*found.findings, *paired.findings))


def sort_out(pairs: Iterable[tuple[str, Path]]) -> Files:
    """Keep the first file of each stem; a stem that is not UTF-8 names no case."""
    used: dict[str, Path] = {}
    findings = []
    for name, path in pairs:
        stem = unicodedata.normalize("NFC", name)
        if printable(stem) != stem:
            detail = "the file name is no plain text in UTF-8; rename the file"
            findings.append(left_out(Issue.UNREADABLE, printable(stem), path, detail))
        elif used.setdefault(stem, path) != path:
            detail = f"{path.name} and {used[stem].name} both stand for {stem}"
            findings.append(left_out(Issue.AMBIGUOUS, stem, path, detail))
    return Files(dict(sorted(used.items())), tuple(findings))


def joined(parts: Sequence[Files]) -> Files:
    """Join the files of several folders; the first of each stem counts."""
    pairs = sort_out(pair for part in parts for pair in part.by_stem.items())
    findings = (finding for part in parts for finding in part.findings)
    return Files(pairs.by_stem, (*findings, *pairs.findings))


def masks_of(
    stem: str,
    apart: Mapping[str, Files],
    combined: Files | None = None,
    entry: MaskEntry | None = None,
    scale: int = 1,
) -> MaskFiles | None:
    """Return the masks of an image; None if there are none.

    Args:
        stem: Of the image.
        apart: Files of one structure each, by its key.
        combined: Files of both lungs.
        entry: Its masks in a file of many.
        scale: As in `MaskFiles`.
    """
    files = {
        key: (each.by_stem[stem],)
        for key, each in apart.items()
        if stem in each.by_stem
    }
    both = combined.by_stem.get(stem) if combined else None
    if not files and both is None and entry is None:
        return None
    return MaskFiles(
        apart=files,
        combined=(both,) if both else (),
        entries=(entry,) if entry else (),
        scale=scale,
    )


def require_images(images: Files, folder: Path, expected: str) -> None:
    """Check that there is an image at all.

    Raises:
        DatasetError: If there is none.
    """
    if not images.by_stem:
        msg = f"no images in {folder}. Expected: {expected}."
        raise DatasetError(msg)


def list_source(
    name: str,
    root: Path,
    layout: str,
    cases: tuple[Case, ...],
    files: Sequence[Files],
) -> SourceListing:
    """Put a source's listing together, with all that is wrong with its files.

    Args:
        name: Of the source.
        root: Its folder.
        layout: Its layout.
        cases: One each image.
        files: The images, then the masks, of each kind.

    Returns:
        The listing. The convention is that of the published sets: heart excluded.
    """
    images, *masks = files
    found = (
        *missing_masks(cases),
        *missing_sides(cases),
        *(f for each in masks for f in missing_images(each.by_stem, images.by_stem)),
        *(f for each in files for f in each.findings),
    )
    return SourceListing(
        name=name,
        root=root,
        convention=Convention.HEART_EXCLUDED,
        cases=cases,
        findings=tuple(replace(finding, source=name) for finding in found),
        layout=layout,
    )
