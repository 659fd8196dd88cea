"""Where `predict` writes: a folder of this machine, or one behind a URL.

An object store has no folders, no renaming and no locks, but an object is whole or is
not there. So the files of an X-ray are written to a private folder, stored one by one,
and only then does the journal know of them.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs.input import fetched
from lungcli.errors import RemoteError
from lungcli.stores.objects import (
    RemoteFile,
    download,
    list_files,
    look_up,
    remove,
    upload,
)
from lungcli.system.files import make_folder, remove_file
from lungcli.system.temporary import private_folder
from lungcli.system.urls import Url

_MANY: Final = 100  # entries of a journal that a crash may cost
_LONG: Final = 30.0  # seconds
_SHARE: Final = 20  # the journal's storing takes at most this part of the time


class LocalCallFiles:
    """Files for all X-rays of a call: the journal, the tables and the sheet.

    Attributes:
        folder: Of this machine, where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def size(self, name: str) -> int | None:
        """Return the bytes of an output of an earlier call; None if there is none."""
        try:
            return (self.folder / name).stat().st_size
        except OSError:
            return None

    def keep(self, path: Path) -> None:
        """Make sure that a file of the folder is where the user wants it."""

    def note(self, path: Path) -> None:
        """Say that a file of the folder has grown by an entry."""


class RemoteCallFiles:
    """Files of a call that are stored behind a URL: now and then, and at the end.

    Attributes:
        folder: Of this machine, where they are written.
    """

    def __init__(
        self, folder: Path, url: Url, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self._url = url
        self._clock = clock
        self._sizes: dict[str, int | None] | None = None
        self._entries = 0
        self._kept: float | None = None  # when, the last time
        self._took = 0.0

    def size(self, name: str) -> int | None:
        """Return the bytes of an output, from a list made once."""
        if self._sizes is None:
            self._sizes = {file.path: file.size for file in list_files(self._url)}
        return self._sizes.get(name)

    def keep(self, path: Path) -> None:
        """Store a file.

        Raises:
            RemoteError: If it cannot be stored.
        """
        begun = self._clock()
        upload(path, self._url / path.name)
        self._entries, self._kept = 0, self._clock()
        self._took = self._kept - begun

    def note(self, path: Path) -> None:
        """Store a file that has grown if it is time; a failure waits for the next."""
        self._entries += 1
        waited = self._clock() - (self._kept or 0.0)
        is_time = self._entries >= _MANY or waited >= _LONG
        if is_time and waited >= _SHARE * self._took:
            try:
                self.keep(path)
            except RemoteError:
                self._kept = self._clock()

    def keep_all(self) -> None:
        """Store all files of the folder, unless not even the first could be.

        Raises:
            RemoteError: If one cannot be stored.
        """
        if self._kept is None:
            return
        files = [path for path in self.folder.iterdir() if path.is_file()]
        failures = []
        # the journal first: what it knows need not be done again
        for path in sorted(files, key=lambda p: (p.suffix != ".jsonl", p.name)):
            if not path.name.startswith("."):
                try:
                    self.keep(path)
                except RemoteError as error:
                    failures.append(error)
        if failures:
            raise failures[0]


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine."""

    folder: Path

    @contextmanager
    def opened(self, earlier: Iterable[str]) -> Iterator[LocalCallFiles]:
        """Yield the folder itself; what an earlier call wrote is there."""
        del earlier
        make_folder(self.folder)
        yield LocalCallFiles(self.folder)

    @contextmanager
    def writing(self, stem: PurePosixPath) -> Iterator[Path]:
        """Yield the path, without suffixes, for the files of an X-ray."""
        yield self.folder / stem

    @contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        """Yield an output."""
        yield self.folder / name

    def remove(self, names: Iterable[str]) -> None:
        """Remove outputs, as far as they are there.

        Raises:
            OutputError: If one cannot be removed.
        """
        for name in names:
            remove_file(self.folder / name)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder behind a URL. Nobody else can be kept out: there are no locks."""

    url: Url

    @contextmanager
    def opened(self, earlier: Iterable[str]) -> Iterator[RemoteCallFiles]:
        """Yield a private folder; at the end, however it comes, its files are stored.

        Args:
            earlier: Files of an earlier call to fetch first, as far as they are there.

        Raises:
            RemoteError: If something cannot be fetched or stored.
        """
        with private_folder() as folder:
            for name in earlier:
                if (file := look_up(self.url / name)) is not None:
                    (folder / name).touch()
                    download(file, folder / name)
            files = RemoteCallFiles(folder, self.url)
            try:
                yield files
            finally:
                files.keep_all()

    @contextmanager
    def writing(self, stem: PurePosixPath) -> Iterator[Path]:
        """Yield a private path for the files of an X-ray; at its end they are stored.

        Raises:
            RemoteError: If one cannot be stored.
        """
        with private_folder() as folder:
            yield folder / stem.name
            for path in sorted(folder.iterdir()):
                upload(path, self.url / stem.with_name(path.name))

    @contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        """Yield a private copy of an output.

        Raises:
            RemoteError: If it cannot be fetched.
        """
        with fetched(RemoteFile(url=self.url / name, path=name, size=None)) as copy:
            yield copy

    def remove(self, names: Iterable[str]) -> None:
        """Remove outputs, as far as they are there.

        Raises:
            RemoteError: If one cannot be removed.
        """
        for name in names:
            remove(self.url / name)


CallFiles = LocalCallFiles | RemoteCallFiles
OutputFolder = LocalFolder | RemoteFolder


def output_folder(out: Path | Url) -> OutputFolder:
    """Return the folder for outputs."""
    return RemoteFolder(out) if isinstance(out, Url) else LocalFolder(out)
