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
from lungcli.errors import OutputError, RemoteError
from lungcli.stores.objects import (
    Stored,
    check_writable,
    download,
    list_files,
    look_up,
    remove,
    upload,
)
from lungcli.system.files import make_folder, remove_file
from lungcli.system.urls import Url
from lungcli.workflows.shared.output_folder import (
    check_output,
    is_prepared_at,
    private_folder,
)

_MANY: Final = 100  # entries of a journal that a crash may cost
_LONG: Final = 30.0  # seconds
_SHARE: Final = 20  # the journal's storing takes at most this part of the time


class Desk:
    """What is written for all X-rays of a call, in a folder of this machine.

    Attributes:
        folder: For the journal, the tables and the sheet.
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


class RemoteDesk(Desk):
    """A desk whose files are stored behind a URL: now and then, and at the end."""

    def __init__(
        self, folder: Path, url: Url, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(folder)
        self._url = url
        self._clock = clock
        self._sizes: dict[str, int | None] | None = None
        self._entries = 0
        self._kept: float | None = None  # when, the last time
        self._took = 0.0

    def size(self, name: str) -> int | None:
        """Return the bytes of an output, from a list made once."""
        if self._sizes is None:
            self._sizes = {file.place: file.size for file in list_files(self._url)}
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
class LocalPlace:
    """A folder of this machine."""

    folder: Path

    def check(self) -> None:
        """Refuse to write into a prepared data set; see `check_output`."""
        check_output(self.folder)

    @contextmanager
    def opened(self, earlier: Iterable[str]) -> Iterator[Desk]:
        """Yield the folder itself; what an earlier call wrote is there."""
        del earlier
        make_folder(self.folder)
        yield Desk(self.folder)

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
class RemotePlace:
    """A folder behind a URL. Nobody else can be kept out: there are no locks."""

    url: Url

    def check(self) -> None:
        """Refuse a place that nothing can be written to, or a prepared data set.

        Raises:
            OutputError: If it is a prepared data set, or lies in one.
            RemoteError: If that cannot be found out.
        """
        check_writable(self.url)
        folder = self.url
        for _ in self.url.parts:
            if is_prepared_at(folder):
                msg = (
                    f"{self.url} belongs to the prepared data set {folder}. Choose "
                    "another --out."
                )
                raise OutputError(msg)
            folder = folder.parent

    @contextmanager
    def opened(self, earlier: Iterable[str]) -> Iterator[Desk]:
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
            desk = RemoteDesk(folder, self.url)
            try:
                yield desk
            finally:
                desk.keep_all()

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
        with fetched(Stored(url=self.url / name, place=name, size=None)) as copy:
            yield copy

    def remove(self, names: Iterable[str]) -> None:
        """Remove outputs, as far as they are there.

        Raises:
            RemoteError: If one cannot be removed.
        """
        for name in names:
            remove(self.url / name)


Place = LocalPlace | RemotePlace


def place_at(out: Path | Url) -> Place:
    """Return the place for outputs."""
    return RemotePlace(out) if isinstance(out, Url) else LocalPlace(out)
