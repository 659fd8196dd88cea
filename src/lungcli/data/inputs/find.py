"""From what a person typed to the X-rays that are meant."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs.archive import image_members, is_archive
from lungcli.data.inputs.disc import is_index, listed_images
from lungcli.data.inputs.folder import is_image
from lungcli.data.inputs.folder import search as search_folder
from lungcli.data.inputs.input import Input
from lungcli.data.inputs.kinds import KINDS
from lungcli.data.inputs.remote import inputs_at, listed_inputs
from lungcli.errors import DatasetError
from lungcli.stores.objects import RemoteFile
from lungcli.system.urls import Url, is_url, local_name

STDIN: Final = "-"
_MAGIC: Final = re.compile(r"[*?[]")
_HERE: Final = PurePosixPath()


@dataclass(frozen=True, slots=True)
class _Search:
    """Where not to look, and who hears what was left out."""

    out: Path | None
    announce: Callable[[str], None]


def find_inputs(
    given: Sequence[str],
    *,
    stdin: Iterable[str | bytes],
    out: Path | Url,
    announce: Callable[[str], None] = lambda note: None,
) -> tuple[Input, ...]:
    """Find every X-ray that a person means, each once.

    Args:
        given: Files of any name; folders, searched with all below; zip archives;
            patterns (`*`, `?`, `[...]`, `**`) that no shell has replaced; URLs of any
            of these but archives; `-` for a list of any of these but patterns on
            stdin.
        stdin: The list, one path a line.
        out: The output folder, which no search enters.
        announce: Told what of a folder was left out.

    Returns:
        The X-rays in the order given, those of one folder, archive or pattern
        sorted. Where they go in the output folder:

        * a file directly into it;
        * what a folder holds to its place below that folder;
        * what matches a pattern to its place below the last folder in front of the
          first `*`, `?` or `[`;
        * what a list names to its place below the folder that holds all of the list;
        * what an archive holds below a folder called as the archive.

    Raises:
        DatasetError: If something is missing, holds no X-ray, or cannot be read.
        RemoteError: If a URL cannot be searched.
    """
    found: dict[tuple[str, str, str | None], Input] = {}
    real = lru_cache(maxsize=None)(os.path.realpath)
    search = _Search(_on_disk(out), announce)
    for each in given:
        if is_url(each):
            items = inputs_at(Url(each), out)
        elif each == STDIN:
            items = _listed(stdin, out, search)
        else:
            items = _given(local_name(each), search)
        for item in items:
            if isinstance(item.path, RemoteFile):
                found.setdefault(("", item.path.url.whole, None), item)
                continue
            folder, name = os.path.split(item.path)
            found.setdefault((real(folder), name, item.member), item)
    return tuple(found.values())


def _on_disk(out: Path | Url) -> Path | None:
    return None if isinstance(out, Url) else out


def _given(text: str, search: _Search) -> list[Input]:
    path = Path(text)
    if _exists(text):
        return _at(path, _HERE if path.is_dir() else PurePosixPath(path.name), search)
    parts = path.parts
    for i, part in enumerate(parts):
        # Brackets in the name of a folder that is there are no pattern.
        if _MAGIC.search(part) and not _exists(Path(*parts[: i + 1])):
            return _matching(Path(*parts[:i]), parts[i:], search)
    msg = f"{text} does not exist. Name image files, folders or zip archives."
    raise DatasetError(msg)


def _at(path: Path, place: PurePosixPath, search: _Search) -> list[Input]:
    """Return what a path stands for; `place` is where it goes in the output folder."""
    if path.is_dir() and _is_within(os.path.realpath(path), search.out):
        msg = f"--out {search.out} holds the input {path}. Choose another folder."
        raise DatasetError(msg)
    if is_index(path):
        shown = path.parent
        return [
            Input(shown=str(shown / name), name=name, path=shown / name)
            for name in listed_images(path)
        ]
    if not path.is_dir() and not is_archive(path):
        return [Input(shown=str(path), name=place, path=path)]
    found = (
        _in_folder(path, place, search) if path.is_dir() else _in_archive(path, place)
    )
    if not found:
        msg = (
            f"no image in {path} ({KINDS} were looked for). Zip archives in it must be "
            "named themselves."
        )
        raise DatasetError(msg)
    return found


def _in_folder(folder: Path, place: PurePosixPath, search: _Search) -> list[Input]:
    found = search_folder(folder, search.out)
    for note in found.notes:
        search.announce(f"{folder}: not taken for X-rays: {note}.")
    names = found.images
    paths = [folder / name for name in names]
    return [
        Input(shown=str(path), name=place / name, path=path)
        for path, name in zip(paths, names, strict=True)
    ]


def _in_archive(path: Path, place: PurePosixPath) -> list[Input]:
    try:
        members = image_members(path)
    except DatasetError as error:  # the other inputs go on
        problem = str(error)
        return [Input(shown=str(path), name=place, path=path, problem=problem)]
    folder = place.with_suffix("")
    return [
        Input(shown=f"{path}/{member}", name=folder / member, path=path, member=member)
        for member in members
    ]


def _matching(base: Path, pattern: Sequence[str], search: _Search) -> list[Input]:
    hidden = any(part.startswith(".") for part in pattern)
    found: list[Input] = []
    real = lru_cache(maxsize=None)(os.path.realpath)
    searched: Path | None = None
    for path in _matches(base, pattern):
        place = PurePosixPath(path.relative_to(base).as_posix())
        if (searched and path.is_relative_to(searched)) or (
            _is_hidden(place) and not hidden
        ):
            continue
        searched = path if path.is_dir() else searched
        if not _is_within(real(path if path.is_dir() else path.parent), search.out):
            found += _match(path, place, search)
    if not found:
        msg = (
            f"{base.joinpath(*pattern)} does not exist, and as a pattern it matches "
            f"no image ({KINDS} were looked for). Check its spelling."
        )
        raise DatasetError(msg)
    return found


def _matches(base: Path, pattern: Sequence[str]) -> list[Path]:
    whole = base.joinpath(*pattern)
    if ".." in pattern:  # what it leads to would have no place below the folder
        msg = f"{whole} goes up behind a pattern. Write it without `..` there."
        raise DatasetError(msg)
    try:
        # Unlike `glob.glob`, it follows no link through `**`: links may go in circles.
        return sorted(base.glob("/".join(pattern)))
    except (OSError, ValueError) as error:
        msg = f"{whole} is no pattern to search for ({error}). Write `**` apart."
        raise DatasetError(msg) from error


def _match(path: Path, place: PurePosixPath, search: _Search) -> list[Input]:
    """Return what a match stands for: nobody named it, so it may be no X-ray."""
    if path.is_dir():
        return _in_folder(path, place, search)
    if is_archive(path):
        return _in_archive(path, place)
    if path.is_file() and is_image(str(path)):
        return [Input(shown=str(path), name=place, path=path)]
    return []


def _is_hidden(place: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in place.parts)


def _listed(
    stdin: Iterable[str | bytes], out: Path | Url, search: _Search
) -> list[Input]:
    lines = list(_lines(stdin))
    if not lines:
        msg = "the list on stdin is empty. Write one path a line."
        raise DatasetError(msg)
    urls = [Url(line) for line in lines if is_url(line)]
    if not urls:
        return _listed_paths([Path(local_name(line)) for line in lines], search)
    if len(urls) < len(lines):
        msg = "the list on stdin names both files and URLs. Give one list for each."
        raise DatasetError(msg)
    return listed_inputs(urls, out)


def _listed_paths(paths: Sequence[Path], search: _Search) -> list[Input]:
    # Not resolved: a link stays where the list names it.
    absolute = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
    folders = [path if path.is_dir() else path.parent for path in absolute]
    try:
        base = os.path.commonpath(folders)
    except ValueError as error:
        msg = "the list on stdin names several drives. Give one list for each drive."
        raise DatasetError(msg) from error
    return [
        item
        for path, full in zip(paths, absolute, strict=True)
        for item in _at(path, PurePosixPath(full.relative_to(base).as_posix()), search)
    ]


def _lines(stdin: Iterable[str | bytes]) -> Iterator[str]:
    # The bytes below a text stream, if there are any: names need not be UTF-8.
    for number, line in enumerate(getattr(stdin, "buffer", stdin), start=1):
        text = os.fsdecode(line).rstrip("\r\n")
        if number == 1:
            text = text.removeprefix("\ufeff")  # Windows begins its text files so
        if not text.strip():
            continue
        if not (is_url(text) or _exists(local_name(text))):
            msg = f"line {number} of the list on stdin: {text} does not exist. Mend it."
            raise DatasetError(msg)
        yield text


def _exists(path: str | Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises on odd names


def _is_within(place: str, folder: Path | None) -> bool:
    return folder is not None and Path(place).is_relative_to(os.path.realpath(folder))
