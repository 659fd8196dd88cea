"""Whether a PNG file holds all rows that its header claims; Pillow makes up others."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_START: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_PASSES: Final = (  # Adam7: first column, first row, and the steps
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
    (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_MOST_RATIO: Final = 1032  # of deflate: 258 bytes for 2 bits
_BLOCK: Final = 2**16  # packed bytes at a time; unpacks to 64 MiB at most


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What the header claims.

    Attributes:
        num_bytes: Of all rows, unpacked, each with its filter type.
        is_interlaced: Whether the rows come in seven passes.
    """

    num_bytes: int
    is_interlaced: bool


def read_header(file: BinaryIO) -> PngHeader | None:
    """Read the header of a PNG file from its start; None if there is none.

    References:
        PNG specification (3rd edition) sections 8 (interlacing) and 11.2.1 (IHDR),
        https://www.w3.org/TR/png-3/
    """
    start = file.read(33)
    if len(start) < 33 or start[:8] != _START or start[12:16] != b"IHDR":
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack(
        ">2L5B", start[16:29]
    )
    bits = depth * _CHANNELS.get(colour, 1)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    num_bytes = 0
    for left, top, step_x, step_y in passes:
        columns = -(-(width - left) // step_x)
        rows = -(-(height - top) // step_y)
        if columns > 0 and rows > 0:
            num_bytes += rows * (1 + -(-columns * bits // 8))
    return PngHeader(num_bytes, bool(interlaced))


def can_hold(num_packed: int, header: PngHeader) -> bool:
    """Tell whether a file of so many bytes can hold all rows at all.

    References:
        Deutsch (1996), RFC 1951: a code of one bit for a length of 258 and one of one
        bit for its distance.
    """
    return header.num_bytes <= num_packed * _MOST_RATIO


def holds_all_rows(file: BinaryIO, header: PngHeader) -> bool:
    """Unpack the pixels of a PNG file, keep none of them, and count."""
    inflater = zlib.decompressobj()
    missing = header.num_bytes
    try:
        for packed in _image_data(file):
            missing -= len(inflater.decompress(packed))
            if missing <= 0:
                return True
    except zlib.error:  # Pillow has complained, or found enough
        return False
    return False


def _image_data(file: BinaryIO) -> Iterator[bytes]:
    file.seek(len(_START))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">L4s", head)
        if kind != b"IDAT":
            file.seek(length + 4, 1)  # and the checksum
            continue
        while length > 0 and (packed := file.read(min(length, _BLOCK))):
            length -= len(packed)
            yield packed
        file.seek(4, 1)
