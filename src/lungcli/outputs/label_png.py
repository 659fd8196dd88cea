"""Label maps as 8-bit gray PNG, written with zlib alone.

A label map is a few long runs a row: zlib's run-length strategy finds them all in one
pass, where Pillow filters every row first and then searches for matches. It takes a
third of the time, in a file that is no larger, and `zlib` releases the interpreter
lock, so that threads overlap.
"""

import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.arrays import LabelMap
from lungcli.system.files import whole_file

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GRAY_8_BIT: Final = bytes([8, 0, 0, 0, 0])  # depth, gray, deflate, filters, whole
_NO_FILTER: Final = 0
_MEMORY_LEVEL: Final = 9  # fewer and larger blocks


def write_label_png(labels: LabelMap, path: Path) -> Path:
    """Write a label map as PNG, whole or not at all, and return `path`.

    Args:
        labels: Shape `(height, width)`.
        path: The file; parent folders are made.

    Raises:
        ValueError: If `labels` is no label map.
        OutputError: If the file cannot be written.
    """
    with whole_file(path) as part:
        part.write_bytes(encode_labels(labels))
    return path


def encode_labels(labels: LabelMap) -> bytes:
    """Encode a label map as an 8-bit gray PNG with the labels as gray values.

    Args:
        labels: uint8 `(height, width)`, at least one pixel.

    Returns:
        The bytes of a PNG file; equal for equal labels.

    Raises:
        ValueError: If `labels` has another type or shape.

    References:
        W3C (2003), Portable Network Graphics, 2nd edition,
        https://www.w3.org/TR/2003/REC-PNG-20031110/
    """
    if labels.dtype != np.uint8 or labels.ndim != 2 or labels.size == 0:
        msg = f"labels {labels.shape} of {labels.dtype}: must be 2-D, uint8, not empty."
        raise ValueError(msg)
    height, width = labels.shape
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = _NO_FILTER
    rows[:, 1:] = labels
    header = struct.pack(">II", width, height) + _GRAY_8_BIT
    chunks = ((b"IHDR", header), (b"IDAT", _deflated(rows)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _deflated(rows: LabelMap) -> bytes:
    packer = zlib.compressobj(memLevel=_MEMORY_LEVEL, strategy=zlib.Z_RLE)
    return packer.compress(rows.data) + packer.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
