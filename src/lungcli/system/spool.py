"""Objects that wait on disk, so that memory stays flat however many they are."""

import os
import pickle
from collections.abc import Sequence
from typing import BinaryIO, TypeVar, overload

T = TypeVar("T")


class Spool(Sequence[T]):
    """A list in a file: what is asked for is read.

    Args:
        file: An empty one that nobody else writes to: it is unpickled.

    Examples:
        >>> from tempfile import TemporaryFile
        >>> with TemporaryFile() as file:
        ...     spool = Spool(file)
        ...     spool.append("first")
        ...     spool.append("second")
        ...     list(spool), spool[-1:]
        (['first', 'second'], ['second'])
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: list[int] = []

    def append(self, item: T) -> None:
        """Keep one more.

        Raises:
            OSError: If the disk is full.
        """
        place = self._file.seek(0, os.SEEK_END)
        pickle.dump(item, self._file)
        self._places.append(place)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        places = self._places[index]
        if isinstance(places, list):
            return [self._read(place) for place in places]
        return self._read(places)

    def _read(self, place: int) -> T:
        self._file.seek(place)
        item: T = pickle.load(self._file)  # noqa: S301 - our own
        return item
