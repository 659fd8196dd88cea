"""Pixels of many cases on disk, for data sets that need not fit into memory.

The file has no name: it is gone with the process, however that ends, so there is never
half a file, and never one of another data set. Reading goes through the cache of the
system, which holds as much of it as memory is free, and counts for no process.
"""

import errno
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lungcli.errors import OutputError

_MIB: Final = 2**20


class PixelStore:
    """An array of uint8 on disk that is written and read by whole cases.

    Threads may share it. What is read is a copy.

    Args:
        folder: Where the file lies; its disk needs room for all of it.
        shape: Cases, then the shape of each.

    Raises:
        OutputError: If no file can be made there.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._case = int(np.prod(shape[1:]))
        self._folder = folder
        self._lock = threading.Lock()
        try:
            # SIM115: open as long as the store lives
            self._file = tempfile.TemporaryFile(  # noqa: SIM115
                dir=folder, buffering=0
            )
        except OSError as error:
            raise self._refused(error) from error
        weakref.finalize(self, self._file.close)

    @property
    def nbytes(self) -> int:
        """Bytes of all cases."""
        return len(self) * self._case

    def __len__(self) -> int:
        """Return the number of cases."""
        return self.shape[0]

    def __setitem__(self, index: int, pixels: NDArray[np.uint8]) -> None:
        """Write a case.

        Raises:
            OutputError: If the disk is full.
        """
        content = np.ascontiguousarray(pixels, np.uint8).reshape(self.shape[1:])
        try:
            with self._lock:
                self._file.seek(index * self._case)
                if self._file.write(content.data) != self._case:
                    raise OSError(errno.ENOSPC, "the disk is full")
        except OSError as error:
            raise self._refused(error) from error

    def __getitem__(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read cases by their numbers, in that order."""
        found = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for place, index in zip(found, chosen.tolist(), strict=True):
            with self._lock:
                self._file.seek(index * self._case)
                if self._file.readinto(place.data.cast("B")) != self._case:
                    raise OSError(errno.EIO, f"case {index} was not written")
        return found

    def _refused(self, error: OSError) -> OutputError:
        need = max(1, 2 * self.nbytes // _MIB)
        return OutputError(
            f"cannot keep the pixels of {len(self)} cases in {self._folder} "
            f"({error.strerror}): images and masks take {need} MiB there while the "
            "command runs. Make room, or choose a folder on another disk with --run."
        )


Pixels = NDArray[np.uint8] | PixelStore
