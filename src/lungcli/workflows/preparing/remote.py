"""Sources and data sets behind URLs: fetched before `prepare` works, stored after it.

`prepare` reads each file more than once and compares all with all, so it works on
copies in a private folder. Nothing that it writes tells where that was.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from lungcli.data.case import AuditFinding
from lungcli.data.prepared import DATASET_JSON
from lungcli.data.storing import IMAGES, MASKS, REFERENCES
from lungcli.errors import DatasetError, LungcliError, RemoteError
from lungcli.stores.objects import (
    Stored,
    check_writable,
    download,
    list_files,
    remove,
    upload,
)
from lungcli.system.files import PART
from lungcli.system.progress import Progress
from lungcli.system.urls import Url, place_of
from lungcli.workflows.shared.output_folder import is_prepared_at, private_folder
from lungcli.workflows.shared.threads import in_order

# There while a data set is being stored: what is left of it may be replaced.
_UNDER_WAY: Final = f"{PART}{DATASET_JSON}"
_AT_A_TIME: Final = 16  # connections; each waits most of its time
_ELSEWHERE: Final = "Choose another folder with --out."

_Item = TypeVar("_Item")


class Fetched:
    """Folders of this machine for what the user named.

    Attributes:
        folders: One for each source.
    """

    def __init__(self, folders: Sequence[Path], urls: Mapping[Path, Url]) -> None:
        self.folders = folders
        self._urls = urls

    def finding(self, found: AuditFinding) -> AuditFinding:
        """Return a finding that names URLs where there are any."""
        path = found.path
        for folder, url in self._urls.items():
            if isinstance(path, Path) and path.is_relative_to(folder):
                path = url / path.relative_to(folder).as_posix()
        return replace(found, path=path, detail=self.told(found.detail))

    def told(self, text: str) -> str:
        """Return a message that names URLs in the place of copies."""
        for folder, url in self._urls.items():
            text = text.replace(str(folder), str(url))
        return text


@contextmanager
def local_sources(
    sources: Sequence[str | Path | Url], out: Path | Url, progress: Progress
) -> Iterator[Fetched]:
    """Yield a folder for each source: itself, or a copy of what is behind its URL.

    Errors raised in the block name the URL instead of the copy.

    Args:
        sources: Folders and URLs of folders.
        out: Where the data set goes; nothing is fetched from there.
        progress: Told after each file as the task `fetch`.

    Raises:
        DatasetError: If there is nothing behind a URL.
        RemoteError: If it cannot be fetched.
    """
    places = [place_of(source) for source in sources]
    if not any(isinstance(place, Url) for place in places):
        yield Fetched([place for place in places if isinstance(place, Path)], {})
        return
    with private_folder() as room:
        folders = [
            room / str(i) / place.name if isinstance(place, Url) else place
            for i, place in enumerate(places)
        ]
        pairs = list(zip(folders, places, strict=True))
        urls = {folder: url for folder, url in pairs if isinstance(url, Url)}
        _fetch(urls, out, progress)
        fetched = Fetched(folders, urls)
        try:
            yield fetched
        except LungcliError as error:
            raise type(error)(fetched.told(str(error))) from error


@contextmanager
def local_out(out: Path | Url, force: bool, progress: Progress) -> Iterator[Path]:
    """Yield the folder to write a data set to; at the end it is stored at its URL.

    Args:
        out: A folder, which is yielded, or a URL.
        force: Whether an older prepared data set behind the URL may be replaced.
        progress: Told after each file as the task `store`.

    Raises:
        DatasetError: If what is behind the URL may not be replaced.
        RemoteError: If it cannot be looked at or written.
    """
    if isinstance(out, Path):
        yield out
        return
    check_writable(out)
    _check_replaceable(out, force)
    with private_folder() as room:
        _mark(room, out)
        folder = room / out.name
        try:
            yield folder
        except BaseException:
            with suppress(RemoteError):
                remove(out / _UNDER_WAY)
            raise
        _store(folder, out, progress)


def _fetch(urls: Mapping[Path, Url], out: Path | Url, progress: Progress) -> None:
    jobs = []
    for folder, url in urls.items():
        files = [file for file in list_files(url) if _is_source(file, out)]
        if not files:
            msg = f"there is no file in {url}. Check its spelling."
            raise DatasetError(msg)
        _check_names(files, url)
        jobs += [(file, folder / file.place) for file in files]
    _each(_fetch_one, jobs, "fetch", progress)


def _fetch_one(job: tuple[Stored, Path]) -> None:
    file, path = job
    path.parent.mkdir(parents=True, exist_ok=True)
    download(file, path)


def _check_names(files: Sequence[Stored], url: Url) -> None:
    # Keys of objects are free text: `ward/../../x.png` is one, and `ward/` may be both
    # a file and a folder.
    places = Counter(PurePosixPath(file.place) for file in files)
    folders = {parent for place in places for parent in place.parents}
    for place, count in places.items():
        if place.is_absolute() or ".." in place.parts or "\0" in str(place):
            problem = "a name that leads out of its folder"
        elif count > 1 or place in folders:
            problem = "a name that is there twice, or as a folder too"
        else:
            continue
        msg = f"{url / str(place)} has {problem}. Rename it."
        raise DatasetError(msg)


def _check_replaceable(out: Url, force: bool) -> None:
    places = {file.place for file in list_files(out)}
    if not places or (DATASET_JSON not in places and _UNDER_WAY in places):
        return
    if not is_prepared_at(out):
        msg = (
            f"{out} holds other files and is no prepared data set, so it is not "
            f"replaced. {_ELSEWHERE}"
        )
        raise DatasetError(msg)
    if not force:
        msg = (
            f"{out} holds a prepared data set already. Replace it with --force, or "
            "choose another folder with --out."
        )
        raise DatasetError(msg)


def _mark(room: Path, out: Url) -> None:
    mark = room / _UNDER_WAY
    mark.write_text("lungcli prepare is storing a data set here.\n", encoding="utf-8")
    upload(mark, out / _UNDER_WAY)


def _store(folder: Path, out: Url, progress: Progress) -> None:
    """Store a data set; it is none until its last file is there."""
    names = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    names.remove(DATASET_JSON)
    remove(out / DATASET_JSON)

    def store_one(name: str) -> None:
        upload(folder / name, out / name)

    _each(store_one, names, "store", progress)
    kept = set(names)
    for file in list_files(out):  # of cases that an older data set had
        if file.place.startswith(_OWN) and file.place not in kept:
            remove(file.url)
    store_one(DATASET_JSON)
    remove(out / _UNDER_WAY)


_OWN: Final = tuple(f"{name}/" for name in (IMAGES, MASKS, REFERENCES))


def _each(
    function: Callable[[_Item], None],
    items: Sequence[_Item],
    task: str,
    progress: Progress,
) -> None:
    progress(task, 0, len(items))
    for done, _ in enumerate(in_order(function, items, _AT_A_TIME), 1):
        progress(task, done, len(items))


def _is_source(file: Stored, out: Path | Url) -> bool:
    if isinstance(out, Url) and file.url.is_within(out):
        return False
    parts = file.place.split("/")
    return not any(p.startswith(".") and not p.startswith("..") for p in parts)
