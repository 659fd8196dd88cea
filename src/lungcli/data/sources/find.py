"""Find out which sources a folder holds."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lungcli.data.case import (
    AuditFinding,
    Convention,
    Issue,
    Layout,
    Source,
    SourceListing,
)
from lungcli.data.prepared import is_prepared
from lungcli.data.sources import listing
from lungcli.data.sources.annotations import Annotations
from lungcli.data.sources.beside import Beside
from lungcli.data.sources.folder import Folder
from lungcli.data.sources.given_splits import joined_splits
from lungcli.data.sources.jsrt import Jsrt
from lungcli.data.sources.merged import Merged
from lungcli.data.sources.montgomery import Montgomery
from lungcli.data.sources.own import name_of
from lungcli.data.sources.pattern import list_by_pattern
from lungcli.data.sources.predicted import Predicted, list_masks
from lungcli.data.sources.shenzhen import Shenzhen
from lungcli.data.sources.structures import Structures
from lungcli.errors import DatasetError

_SOURCES: Final[tuple[Source, ...]] = (
    Montgomery(),
    Merged(),
    Shenzhen(),
    Jsrt(),
    Structures(),
    Annotations(),
    Predicted(),
    Folder(),
    Beside(),
)
_DEPTH: Final = 2  # levels below the given folder; NLM's archives nest by one
_NUM_SEEN: Final = 6  # names in a message
_NUM_NEAREST: Final = 2  # layouts in it


def find_sources(
    path: Path,
    layout: str = Layout.AUTO,
    mask_pattern: str | None = None,
    images: Path | None = None,
) -> tuple[SourceListing, ...]:
    """List every source in a folder, or up to two levels below it.

    Folders beside each other that are called as splits are one source.

    A folder below that has a known layout but cannot be used becomes a listing
    without cases, whose finding says why.

    Args:
        path: The folder of a source, or a folder of such folders.
        layout: One of `Layout`; `"auto"` tries them all.
        mask_pattern: Of the masks of a folder that has no layout.
        images: Where the X-rays of a folder of masks lie.

    Raises:
        DatasetError: If there is no such folder, no known layout, or nothing in it
            that can be used.
        ValueError: If `layout` is unknown.
    """
    if layout not in tuple(Layout):
        msg = f"layout {layout!r} is unknown; there are {', '.join(Layout)}."
        raise ValueError(msg)
    _check_folder(path)
    if images is not None:
        return (list_masks(path, images),)
    if mask_pattern is not None:
        return (list_by_pattern(path, mask_pattern),)
    sources = [each for each in _SOURCES if layout in {Layout.AUTO, each.layout}]
    found = list(_list(path, sources))
    errors = []
    for folder in listing.folders_below(path, _DEPTH):
        try:
            found.extend(_list(folder, _fitting(folder, sources, found)))
        except DatasetError as error:
            errors.append(error)
            found.append(_unusable(folder, error))
    if not any(each.cases for each in found):
        raise errors[0] if errors else DatasetError(_nothing_found(path, sources))
    return joined_splits(found)


def _fitting(
    folder: Path, sources: Sequence[Source], found: Sequence[SourceListing]
) -> Sequence[Source]:
    """Leave out what a source's own folders may look like, within it."""
    if any(folder.is_relative_to(each.root) for each in found):
        within = {Layout.BESIDE, Layout.PREDICTED, Layout.ANNOTATIONS}
        return [each for each in sources if each.layout not in within]
    return sources


def _matches(source: Source, folder: Path) -> bool:
    return all(source.parts(folder).values())


def _list(folder: Path, sources: Sequence[Source]) -> tuple[SourceListing, ...]:
    try:
        for source in sources:
            if _matches(source, folder):
                return source.list_cases(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error
    return ()


def _unusable(folder: Path, error: DatasetError) -> SourceListing:
    name = name_of(folder)
    finding = AuditFinding(
        issue=Issue.UNUSABLE,
        source=name,
        case_id="",
        path=folder,
        detail=str(error),
        action="left out",
    )
    return SourceListing(
        name=name,
        root=folder,
        convention=Convention.UNKNOWN,
        cases=(),
        findings=(finding,),
    )


def _check_folder(path: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"there is no folder {path}. Check the name, or download the data first."
        raise DatasetError(msg) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not is_folder:
        msg = (
            f"{path} is a file. Give the folder that holds the images and masks, or a "
            "zip archive of it."
        )
    elif is_prepared(path):
        msg = (
            f"{path} is a prepared data set already. Give the folder with the "
            "original images, or go on with 'lungcli train'."
        )
    elif not any(_names(path)):
        msg = f"{path} is empty. Give the folder that holds the images and masks."
    else:
        return
    raise DatasetError(msg)


def _names(path: Path) -> Iterator[str]:
    try:
        yield from sorted(
            each.name + ("/" if each.is_dir() else "") for each in path.iterdir()
        )
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(f"cannot read {path}: {error.strerror}. Check its permissions.")


def _nothing_found(path: Path, sources: Sequence[Source]) -> str:
    names = list(_names(path))
    seen = ", ".join(names[:_NUM_SEEN])
    if len(names) > _NUM_SEEN:
        seen += f", … ({len(names)} in all)"
    return (
        f"no known layout in {path} or two levels below. Nearest: "
        f"{_nearest(path, sources)}. Seen there: {seen}. {_advice(path, sources)}"
    )


def _nearest(path: Path, sources: Sequence[Source]) -> str:
    """Say which layouts have the most of their parts here, and what they lack."""
    places = (path, *listing.folders_below(path, _DEPTH))
    told = []
    for rank, source in enumerate(sources):
        best = min(places, key=lambda place: _missing(source, place)[0])
        share, parts = _missing(source, best)
        where = "" if best == path else f" in {best}"
        text = f"{source.layout} ({source.expected}), without {parts}{where}"
        # Where nothing is there, those for anybody's data are named: they come last.
        told.append((share, -rank if share == 1 else rank, text))
    return "; ".join(text for _, _, text in sorted(told)[:_NUM_NEAREST])


def _missing(source: Source, folder: Path) -> tuple[float, str]:
    parts = source.parts(folder)
    missing = [name for name, is_there in parts.items() if not is_there]
    return len(missing) / len(parts), " and ".join(missing)


def _advice(path: Path, sources: Sequence[Source]) -> str:
    if listing.subfolder(path, "images") and not listing.subfolder(path, "masks"):
        return "The folder masks/ is missing; it may be empty."
    above = listing.parent_of(path)
    for source in sources:
        if _matches(source, above):
            return f"If it is a part of the {source.layout} source {above}, give that."
    return "Rename the folders, or give another one."
