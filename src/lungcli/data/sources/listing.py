"""What all layouts share: listing files, pairing them by stem, wording findings."""

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from lungcli.data.case import AuditFinding, Case, Issue, MaskFiles
from lungcli.data.opening import IMAGE_SUFFIXES
from lungcli.errors import DatasetError

_MASK_ENDING = "_mask"


def subfolder(root: Path, name: str) -> Path | None:
    """Return the folder `name` in `root`, upper and lower case alike, or None."""
    exact = root / name
    if exact.is_dir():
        return exact
    return next((path for path in folders(root) if path.name.lower() == name), None)


def folders(root: Path) -> list[Path]:
    """Return the folders in `root` that are not hidden, sorted; empty if unreadable."""
    try:
        found = [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted(path for path in found if not path.name.startswith("."))


def folders_below(root: Path, depth: int) -> Iterator[Path]:
    """Yield the folders down to `depth` levels below `root`, parents first."""
    if depth == 0:
        return
    for path in folders(root):
        yield path
        yield from folders_below(path, depth - 1)


def image_files(
    folder: Path, suffixes: frozenset[str] = IMAGE_SUFFIXES
) -> dict[str, Path]:
    """Return the image files of a folder by stem, sorted; hidden ones left out.

    Raises:
        DatasetError: If the folder cannot be listed, or two files have the same
            stem: the stem names the case.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        msg = f"cannot read {folder}: {error.strerror}. Check its permissions."
        raise DatasetError(msg) from error
    return unique(
        (path.stem, path)
        for path in paths
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )


def mask_files(folder: Path, images: Container[str]) -> dict[str, Path]:
    """Return the mask files of a folder by their image's stem.

    A mask is called as its image, or so with `_mask` at the end.

    Raises:
        DatasetError: If two files belong to the same image.
    """
    return unique(
        (stem if stem in images else stem.removesuffix(_MASK_ENDING), path)
        for stem, path in image_files(folder).items()
    )


def unique(pairs: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Return the files by name, sorted.

    Raises:
        DatasetError: If two have the same name.
    """
    found: dict[str, Path] = {}
    for stem, path in pairs:
        if stem in found:
            msg = (
                f"{found[stem]} and {path} both stand for {stem!r}. "
                "Rename or remove one of them."
            )
            raise DatasetError(msg)
        found[stem] = path
    return dict(sorted(found.items()))


def side_masks(
    right: Path | None, left: Path | None, scale: int = 1
) -> MaskFiles | None:
    """Return the masks of the lungs apart; None if there is neither."""
    if right is None and left is None:
        return None
    return MaskFiles(
        right=(right,) if right else (), left=(left,) if left else (), scale=scale
    )


def require_images(images: Mapping[str, Path], folder: Path, expected: str) -> None:
    """Check that there is an image at all.

    Raises:
        DatasetError: If there is none.
    """
    if not images:
        msg = f"no images in {folder}. Expected: {expected}."
        raise DatasetError(msg)


def missing_masks(cases: Iterable[Case]) -> Iterator[AuditFinding]:
    """Yield a finding for each case without mask."""
    for case in cases:
        if case.masks is None:
            yield AuditFinding(
                issue=Issue.NO_MASK,
                source=case.source,
                case_id=case.case_id,
                path=case.image_path,
                detail="no mask file for this image",
                action="kept without mask, not used for training or scores",
            )


def missing_sides(cases: Iterable[Case]) -> Iterator[AuditFinding]:
    """Yield a finding for each case with the mask of one lung only."""
    for case in cases:
        if case.masks is None or (case.masks.right and case.masks.left):
            continue
        there, missing = ("right", "left") if case.masks.right else ("left", "right")
        yield AuditFinding(
            issue=Issue.NO_MASK,
            source=case.source,
            case_id=case.case_id,
            path=case.image_path,
            detail=f"no mask of the {missing} lung",
            action=f"kept with the {there} lung alone",
        )


def missing_images(
    source: str, masks: Mapping[str, Path], images: Mapping[str, Path]
) -> Iterator[AuditFinding]:
    """Yield a finding for each mask without image."""
    for stem, path in masks.items():
        if stem not in images:
            yield AuditFinding(
                issue=Issue.NO_IMAGE,
                source=source,
                case_id=stem,
                path=path,
                detail="a mask without its image",
                action="left out",
            )
