"""What the first bytes of a JPEG, JPEG-LS or JPEG 2000 stream say of its image."""

import struct
from dataclasses import dataclass
from typing import Final

_J2K_START: Final = b"\xff\x4f\xff\x51"  # SOC, SIZ
_JP2_START: Final = b"\0\0\0\x0cjP  "  # some writers put a whole JP2 file there
_JPEG_START: Final = b"\xff\xd8"
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})  # tables among the frame markers
_JPEG_LS: Final = 0xF7
_SCAN: Final = 0xDA


@dataclass(frozen=True, slots=True)
class StreamSize:
    """Size and depth that the decoder will go by, whatever the DICOM header says."""

    width: int
    height: int
    bits: int


def stream_size(stream: bytes) -> StreamSize | None:
    """Read the size from a compressed frame; None if it is none of the three.

    References:
        ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ) and I.4 (boxes).
    """
    try:
        if stream.startswith(_JPEG_START):
            return _jpeg_size(stream)
        start = _codestream_of_jp2(stream) if stream.startswith(_JP2_START) else 0
        header = stream[start : start + 64]
        return _j2k_size(header) if header.startswith(_J2K_START) else None
    except (struct.error, IndexError):  # cut off
        return None


def _jpeg_size(stream: bytes) -> StreamSize | None:
    position = 2
    while True:
        while stream[position + 1] == 0xFF:  # fill bytes
            position += 1
        marker = stream[position + 1]
        if marker == _SCAN:
            return None
        if marker == _JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME):
            bits, height, width = struct.unpack_from(">BHH", stream, position + 4)
            return StreamSize(width, height, bits)
        (length,) = struct.unpack_from(">H", stream, position + 2)
        position += 2 + length


def _codestream_of_jp2(stream: bytes) -> int:
    """Return where the codestream begins that a decoder will take."""
    position = 0
    while True:
        length, kind = struct.unpack_from(">L4s", stream, position)
        header = 8
        if length == 1:  # an extended length follows
            (length,) = struct.unpack_from(">Q", stream, position + 8)
            header = 16
        if kind == b"jp2c":
            return position + header
        position += max(length, header)


def _j2k_size(header: bytes) -> StreamSize:
    right, bottom, left, top = struct.unpack_from(">4L", header, 8)
    return StreamSize(right - left, bottom - top, (header[42] & 0x7F) + 1)
