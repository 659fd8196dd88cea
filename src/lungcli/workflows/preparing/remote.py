"""Sources behind URLs and in zip archives, copied before `prepare` works.

Data sets behind URLs are stored after it.

`prepare` reads each file more than once and compares all with all, so it works on
copies in a private folder. Nothing that it writes tells where that was.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from lungcli.data.case import AuditFinding
from lungcli.data.inputs.archive import is_archive, unpack
from lungcli.data.prepared import DATASET_JSON
from lungcli.data.replacing import check_replaceable
from lungcli.data.storing import IMAGES, MASKS, REFERENCES
from lungcli.errors import DatasetError, LungcliError, RemoteError
from lungcli.stores.folders import download_folders, upload_folder
from lungcli.stores.objects import (
    RemoteFile,
    check_writable,
    list_files,
    remove,
    upload,
)
from lungcli.system.files import PART
from lungcli.system.progress import Progress
from lungcli.system.temporary import private_folder
from lungcli.system.urls import Url, path_or_url
from lungcli.workflows.shared.output_folder import is_prepared_at

# There while a data set is being stored: what is left of it may be replaced.
_UNDER_WAY: Final = f"{PART}{DATASET_JSON}"


class LocalSources:
    """Folders of this machine for the sources that the user named.

    Attributes:
        folders: One for each source.
    """

    def __init__(
        self, folders: Sequence[Path], named: Mapping[Path, Url | Path]
    ) -> None:
        self.folders = folders
        self._named = named

    def finding(self, found: AuditFinding) -> AuditFinding:
        """Return a finding that names URLs and archives, not copies of them."""
        path = found.path
        for folder, named in self._named.items():
            if isinstance(path, Path) and path.is_relative_to(folder):
                path = named / path.relative_to(folder).as_posix()
        return replace(found, path=path, detail=self.told(found.detail))

    def told(self, text: str) -> str:
        """Return a message that names URLs and archives in the place of copies."""
        for folder, named in self._named.items():
            text = text.replace(str(folder), str(named))
        return text


def check_early(
    out: Path | Url, force: bool, sources: Sequence[str | Path | Url]
) -> None:
    """Check what can be checked before anything is fetched.

    Args:
        out: Where the data set goes.
        force: Whether an older prepared data set may be replaced.
        sources: Folders and URLs of folders.

    Raises:
        DatasetError: If `out` may not be replaced, or holds a source.
    """
    if isinstance(out, Path):
        check_replaceable(out, force)
    for source in map(path_or_url, sources):
        if isinstance(out, Url) and isinstance(source, Url) and source.is_within(out):
            msg = (
                f"the source {source} lies in {out}. Choose another folder with --out."
            )
            raise DatasetError(msg)


@contextmanager
def local_sources(
    sources: Sequence[str | Path | Url], out: Path | Url, progress: Progress
) -> Iterator[LocalSources]:
    """Yield a folder for each source: itself, or a copy of what is elsewhere.

    Errors raised in the block name the URL or the archive instead of the copy.

    Args:
        sources: Folders, URLs of folders, and zip archives.
        out: Where the data set goes; nothing is fetched from there.
        progress: Told after each file as the task `fetch`.

    Raises:
        DatasetError: If there is nothing behind a URL, or an archive cannot be used.
        RemoteError: If it cannot be fetched.
    """
    named = [path_or_url(source) for source in sources]
    if not any(isinstance(source, Url) or is_archive(source) for source in named):
        yield LocalSources([source for source in named if isinstance(source, Path)], {})
        return
    with private_folder() as room:
        folders = [_folder_of(each, room / str(i)) for i, each in enumerate(named)]
        copies = {
            folder: source
            for folder, source in zip(folders, named, strict=True)
            if folder != source
        }
        urls = {to: url for to, url in copies.items() if isinstance(url, Url)}
        download_folders(urls, partial(_is_source, out=out), progress)
        for folder, archive in copies.items():
            if isinstance(archive, Path):
                folder.mkdir(parents=True)
                unpack(archive, folder)
        local = LocalSources(folders, copies)
        try:
            yield local
        except LungcliError as error:
            raise type(error)(local.told(str(error))) from error


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
    _check_replaceable_at(out, force)
    with private_folder() as room:
        _mark(room, out)
        folder = room / out.name
        try:
            yield folder
        except BaseException:
            with suppress(RemoteError):
                remove(out / _UNDER_WAY)
            raise
        upload_folder(
            folder,
            out,
            last=DATASET_JSON,
            owned=(IMAGES, MASKS, REFERENCES),
            progress=progress,
        )
        remove(out / _UNDER_WAY)


def _folder_of(source: Path | Url, room: Path) -> Path:
    """Return where a source is read: where it lies, or its place in a private room."""
    if isinstance(source, Url):
        return room / source.name
    return room / source.stem if is_archive(source) else source


def _check_replaceable_at(out: Url, force: bool) -> None:
    names = {file.path for file in list_files(out)}
    if not names or (DATASET_JSON not in names and _UNDER_WAY in names):
        return
    if not is_prepared_at(out):
        msg = (
            f"{out} holds other files and is no prepared data set, so it is not "
            "replaced. Choose another folder with --out."
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


def _is_source(file: RemoteFile, out: Path | Url) -> bool:
    if isinstance(out, Url) and file.url.is_within(out):
        return False
    parts = file.path.split("/")
    return not any(p.startswith(".") and not p.startswith("..") for p in parts)
