"""Find out which sources a folder holds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lungcli.data.case import Source, SourceListing
from lungcli.data.sources import listing
from lungcli.data.sources.folder import Folder, is_prepared
from lungcli.data.sources.jsrt import Jsrt
from lungcli.data.sources.merged import Merged
from lungcli.data.sources.montgomery import Montgomery
from lungcli.data.sources.shenzhen import Shenzhen
from lungcli.errors import DatasetError

_SOURCES: Final[tuple[Source, ...]] = (
    Montgomery(),
    Merged(),
    Shenzhen(),
    Jsrt(),
    Folder(),
)
AUTO: Final = "auto"
LAYOUTS: Final = (AUTO, *dict.fromkeys(source.layout for source in _SOURCES))
_DEPTH: Final = 2  # levels below the given folder; NLM's archives nest by one
_NUM_SEEN: Final = 6  # names in a message


def find_sources(path: Path, layout: str = AUTO) -> tuple[SourceListing, ...]:
    """List every source in a folder, or up to two levels below it.

    Args:
        path: The folder of a source, or a folder of such folders.
        layout: One of `LAYOUTS`; `"auto"` tries them all.

    Raises:
        DatasetError: If there is no such folder, no known layout, or two sources of
            one name.
        ValueError: If `layout` is unknown.
    """
    if layout not in LAYOUTS:
        msg = f"layout {layout!r} is unknown; there are {', '.join(LAYOUTS)}."
        raise ValueError(msg)
    _check_folder(path)
    sources = [each for each in _SOURCES if layout in {AUTO, each.layout}]
    found = tuple(
        found for folder in _folders(path) for found in _list(folder, sources)
    )
    if not found:
        raise DatasetError(_nothing_found(path, sources))
    check_names(found)
    return found


def check_names(listings: Sequence[SourceListing]) -> None:
    """Check that no two sources share a name, since cases are told apart by it.

    Raises:
        DatasetError: If two do.
    """
    roots: dict[str, Path] = {}
    for each in listings:
        if each.name in roots:
            msg = (
                f"two sources are called {each.name!r}: {roots[each.name]} and "
                f"{each.root}. Leave one of them out, or rename its folder."
            )
            raise DatasetError(msg)
        roots[each.name] = each.root


def _folders(path: Path) -> Iterator[Path]:
    seen = set()
    for folder in (path, *listing.folders_below(path, _DEPTH)):
        place = folder.resolve()  # a link beside its target is the same source
        if place not in seen:
            seen.add(place)
            yield folder


def _list(folder: Path, sources: Sequence[Source]) -> tuple[SourceListing, ...]:
    for source in sources:
        if source.matches(folder):
            return source.list_cases(folder)
    return ()


def _check_folder(path: Path) -> None:
    if not path.exists():
        msg = f"there is no folder {path}. Check the name, or download the data first."
    elif not path.is_dir():
        msg = f"{path} is a file. Give the folder that holds the images and masks."
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
        msg = f"cannot read {path}: {error.strerror}. Check its permissions."
        raise DatasetError(msg) from error


def _nothing_found(path: Path, sources: Sequence[Source]) -> str:
    wanted = "; ".join(f"{each.layout}: {each.expected}" for each in sources)
    names = list(_names(path))
    seen = ", ".join(names[:_NUM_SEEN])
    if len(names) > _NUM_SEEN:
        seen += f", … ({len(names)} in all)"
    return (
        f"no known layout in {path} or two levels below. Looked for {wanted}. "
        f"Seen there: {seen}. Rename the folders, or give another one."
    )
