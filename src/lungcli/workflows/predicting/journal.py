"""What became of each X-ray, kept while the work goes on: a restart reads it.

A file of JSON lines. The first says how the results were made; every further one is
an X-ray that is finished. Appended to and never rewritten: that is cheap at any
length, and a kill costs at most the line being written, which is not read again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Literal, Self

from lungcli.data.inputs import Input
from lungcli.errors import ConfigError, OutputError
from lungcli.system.documents import parse_json
from lungcli.system.files import write_text
from lungcli.workflows.predicting.record import Entry, Status

_FORMAT: Final = 1

SizeOf = Callable[[str], int | None]


class Journal:
    """The finished X-rays of one output folder; used by one thread, then closed.

    Memory holds one number for each X-ray.
    """

    def __init__(self, path: Path, mode: Literal["a+b", "rb"] = "a+b") -> None:
        self.path = path
        self._file: BinaryIO = path.open(mode)
        self._offsets: dict[str, int] = {}  # of the last entry of each stem
        self._end = 0

    @classmethod
    def start(cls, path: Path, settings: Mapping[str, Any]) -> Self:
        """Begin anew; an earlier journal of this name is replaced.

        Args:
            path: In the output folder itself.
            settings: All that the results depend on, as a JSON document.

        Raises:
            OutputError: If it cannot be written.
        """
        write_text(path, _line({"format": _FORMAT, "settings": settings}))
        return cls._open(path)

    @classmethod
    def resume(cls, path: Path, settings: Mapping[str, Any]) -> Self:
        """Go on with an earlier journal, or start one where there is none.

        Args:
            path: In the output folder itself.
            settings: As `start` takes them.

        Raises:
            ConfigError: If the earlier results were made in another way.
            OutputError: If it cannot be read or written.
        """
        if path.is_symlink():  # what is appended would go elsewhere
            msg = f"{path} is a link. Remove it, or choose another --out."
            raise ConfigError(msg)
        if file_size(path) is None:
            return cls.start(path, settings)
        journal = cls._open(path)
        try:
            _check_settings(path, journal.settings, settings)
        except ConfigError:
            journal.close()
            raise
        return journal

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a journal to read only; another process may be writing it.

        Raises:
            OSError: If it cannot be read.
        """
        journal = cls(path, "rb")
        journal._read_offsets()
        return journal

    @classmethod
    def _open(cls, path: Path) -> Self:
        with _explained(path):
            journal = cls(path)
            journal._read_offsets()
        return journal

    @property
    def stems(self) -> Iterable[str]:
        """The stem of each finished X-ray."""
        return self._offsets.keys()

    @property
    def settings(self) -> dict[str, Any] | None:
        """How the results were made; None if another version has written this."""
        header = self._header()
        known = header.get("settings")
        ours = header.get("format") == _FORMAT and isinstance(known, dict)
        return known if ours else None

    def has_outputs(self, entry: Entry, size_of: SizeOf | None = None) -> bool:
        """Tell whether all that was written of an X-ray is there, in its full size."""
        size_of = size_of or self._size
        return all(size_of(name) == size for name, size in entry.outputs.items())

    def is_done(self, stem: str, item: Input, size_of: SizeOf | None = None) -> bool:
        """Tell whether an X-ray needs no more work.

        It does if it failed or has changed, or an output is missing or cut short.

        Args:
            stem: Its outputs' name.
            item: The X-ray.
            size_of: Tells the bytes of an output by its name, None if there is none;
                by default those of the files beside the journal.
        """
        entry = self._entry(stem)
        return (
            entry is not None
            and entry.status != Status.FAILED
            and entry.state == item.state() != {}
            and self.has_outputs(entry, size_of)
        )

    def append(self, entry: Entry) -> None:
        """Add a finished X-ray; it replaces an earlier entry of its stem.

        Raises:
            OutputError: If the disk is full.
        """
        line = _line(entry.to_document()).encode()
        with _explained(self.path):
            self._file.write(line)
            self._file.flush()
        self._offsets[entry.stem] = self._end
        self._end += len(line)

    def entries(self, stems: Iterable[str]) -> Iterator[Entry]:
        """Yield the last entry of each stem that has one, in this order."""
        for stem in stems:
            entry = self._entry(stem)
            if entry is not None:
                yield entry

    def close(self) -> None:
        """Close the file.

        Raises:
            OutputError: If the disk is full.
        """
        with _explained(self.path):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _size(self, name: str) -> int | None:
        return file_size(self.path.parent / name)

    def _read_offsets(self) -> None:
        ours = self.settings is not None  # else nothing of it is changed
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                if ours and self._file.writable():
                    self._file.truncate(self._end)  # torn by a kill: the next is whole
                return
            stem = _parsed(line).get("stem")
            if isinstance(stem, str):
                self._offsets[stem] = self._end
            self._end += len(line)

    def _header(self) -> dict[str, Any]:
        self._file.seek(0)
        return _parsed(self._file.readline())

    def _entry(self, stem: str) -> Entry | None:
        if stem not in self._offsets:
            return None
        self._file.seek(self._offsets[stem])
        try:
            return Entry.from_document(_parsed(self._file.readline()))
        except ValueError:  # edited by somebody: as good as none
            return None


def file_size(path: Path) -> int | None:
    """Return the bytes of a file; None if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _line(document: Mapping[str, Any]) -> str:
    # ASCII: a name that is not UTF-8 comes back as it was.
    return json.dumps(document, allow_nan=False) + "\n"


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the JSON document of a line; empty if it is none."""
    try:
        return parse_json(line)
    except ValueError:
        return {}


def _check_settings(
    path: Path, before: Mapping[str, Any] | None, settings: Mapping[str, Any]
) -> None:
    if before is None:
        msg = (
            f"{path} was not written by this version of lungcli: nothing can be "
            "resumed. Repeat without --resume, or choose another --out."
        )
        raise ConfigError(msg)
    now = json.loads(json.dumps(settings))  # lists for tuples, as the file has them
    differences = describe_differences(before, now, "was {} and is {}")
    if differences:
        msg = (
            f"{path} holds results made in another way: {differences}. "
            "Repeat with the settings from before, or do all anew without --resume."
        )
        raise ConfigError(msg)


def describe_differences(
    first: Mapping[str, Any], second: Mapping[str, Any], words: str
) -> str:
    """Return each setting that differs, in words like `was {} and is {}`."""
    return "; ".join(
        f"{key} {words.format(first.get(key), second.get(key))}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = (
            f"cannot keep the journal {path} ({error.strerror}). Check that the folder "
            "is writable and the disk has space, or choose another --out."
        )
        raise OutputError(msg) from error
