"""Animated PNG: every pixel exact."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from lungcli.arrays import Rgb
from lungcli.pictures.films.change import Box, changed_box, changed_pixels

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def write_apng_frames(frames: Iterable[Rgb], path: Path, duration_ms: int) -> None:
    """Write an animated PNG that loops for ever.

    Of each frame only the box that changed is stored.

    Args:
        frames: Pictures of one shape `(height, width, 3)`; read once.
        path: The file.
        duration_ms: Of each frame, below 65536.

    References:
        W3C (2025), Portable Network Graphics (PNG) Specification (Third Edition),
        section 11.3.6, https://www.w3.org/TR/png-3/
    """
    with path.open("w+b") as stream:
        writer = _Writer(stream, duration_ms)
        for frame in frames:
            writer.add(frame)
        writer.finish()


class _Writer:
    def __init__(self, stream: BinaryIO, duration_ms: int) -> None:
        self._stream = stream
        self._duration_ms = duration_ms
        self._before: Rgb | None = None
        self._num_frames = 0
        self._number = 0  # of the next chunk that is counted
        self._control = 0  # where the number of frames stands in the file

    def add(self, frame: Rgb) -> None:
        if self._before is None:
            self._begin(frame)
            box = slice(0, frame.shape[0]), slice(0, frame.shape[1])
        else:
            box = changed_box(changed_pixels(self._before, frame))
        self._write(b"fcTL", self._next_number() + self._place(box))
        for kind, data in _chunks(frame[box]):
            if kind == b"IDAT" and self._num_frames == 0:
                self._write(b"IDAT", data)
            elif kind == b"IDAT":
                self._write(b"fdAT", self._next_number() + data)
        self._before = frame
        self._num_frames += 1

    def finish(self) -> None:
        """End the file, and say at its beginning how many frames it has."""
        self._write(b"IEND", b"")
        self._stream.seek(self._control)
        self._write(b"acTL", struct.pack(">II", self._num_frames, 0))

    def _begin(self, frame: Rgb) -> None:
        self._stream.write(_SIGNATURE)
        for kind, data in _chunks(frame[:1, :1]):
            if kind == b"IHDR":
                size = struct.pack(">II", frame.shape[1], frame.shape[0])
                self._write(kind, size + data[8:])
        self._control = self._stream.tell()
        self._write(b"acTL", struct.pack(">II", 0, 0))

    def _next_number(self) -> bytes:
        self._number += 1
        return struct.pack(">I", self._number - 1)

    def _place(self, box: Box) -> bytes:
        """Return where a frame lies and how long it is shown; it replaces pixels."""
        rows, columns = box
        size = columns.stop - columns.start, rows.stop - rows.start
        corner = columns.start, rows.start
        return struct.pack(">IIIIHHBB", *size, *corner, self._duration_ms, 1000, 0, 0)

    def _write(self, kind: bytes, data: bytes) -> None:
        checked = kind + data
        length, check = len(data), zlib.crc32(checked)
        self._stream.write(
            struct.pack(">I", length) + checked + struct.pack(">I", check)
        )


def _chunks(picture: Rgb) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and data of each chunk of a still PNG."""
    from imageio.v3 import imwrite  # noqa: PLC0415 - not for `predict`

    content: bytes = imwrite("<bytes>", picture, extension=".png")
    start = len(_SIGNATURE)
    while start < len(content):
        (length,) = struct.unpack_from(">I", content, start)
        data = start + 8
        yield content[start + 4 : data], content[data : data + length]
        start = data + length + 4
