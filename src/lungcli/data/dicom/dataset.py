"""Open a DICOM file: its header parsed, its pixels not yet decoded."""

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lungcli.errors import ImageError

_MAX_BYTES: Final = 2**29  # twice the largest gray image that is read
_MOST_READS: Final = 100_000  # one an element; headers have hundreds
_BLOCK: Final = 2**16  # unpacks to 64 MiB at most
_META_SEARCH: Final = 1024  # bytes; the transfer syntax is said among the first
_DEFLATED: Final = str(DeflatedExplicitVRLittleEndian).encode()
_EXPLICIT: Final = str(ExplicitVRLittleEndian).encode().ljust(len(_DEFLATED), b"\0")
_META_LENGTH: Final = slice(140, 144)  # value of (0002,0000), PS3.10 section 7.1


def read_bytes(path: Path, file: BinaryIO) -> bytes:
    """Read the whole file.

    Raises:
        ImageError: If it is so large that it is no X-ray, or cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    if size > _MAX_BYTES:
        msg = (
            f"{path} has {size:,} bytes: more than any X-ray "
            f"(at most {_MAX_BYTES:,} are read). Remove it."
        )
        raise ImageError(msg)
    try:
        return file.read()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its permissions."
        raise ImageError(msg) from error


class _Counted(BytesIO):
    """Bytes that can be read a limited number of times.

    pydicom takes microseconds for each element of a header, and a file has room for a
    hundred million of them.
    """

    num_reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        self.num_reads += 1
        if self.num_reads > _MOST_READS:
            msg = f"more than {_MOST_READS} elements"
            raise ValueError(msg)
        return super().read(size)


def parse(path: Path, content: bytes) -> Dataset:
    """Parse a DICOM file; values are converted only when asked for.

    pydicom warns of whatever it mends: call it where warnings are off.

    Args:
        path: Named in errors.
        content: The whole file.

    Raises:
        ImageError: If it is broken, unpacks to more than any X-ray, or has more
            elements.
    """
    try:
        if _DEFLATED in content[:_META_SEARCH]:
            content = _inflated(path, content)
        return dcmread(_Counted(content))
    except ImageError:
        raise
    except Exception as error:  # its text may quote the header: not shown
        msg = (
            f"{path} is broken: its DICOM header cannot be parsed. "
            "Export or copy it again, or remove it."
        )
        raise ImageError(msg) from error


def transfer_syntax(dataset: Dataset) -> UID:
    """Return how the pixels are encoded; guessed where the file does not say."""
    meta = getattr(dataset, "file_meta", {})
    try:
        stated = meta.get("TransferSyntaxUID")
    except Exception:
        stated = None
    if stated:
        return UID(stated)
    implicit, little_endian = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian


def kind_of(dataset: Dataset) -> str:
    """Name the SOP class, e.g. `Basic Text SR Storage`."""
    try:
        uid = UID(dataset.get("SOPClassUID") or "")
    except Exception:
        return "of unknown kind"
    # an unregistered one "names" itself, and may hold anything
    return "of unknown kind" if uid.name == uid else str(uid.name)


def _inflated(path: Path, content: bytes) -> bytes:
    """Return a deflated file as it would be without compression.

    Refuses a small file that unpacks to more than memory holds.
    """
    (length,) = struct.unpack("<L", content[_META_LENGTH])
    start = _META_LENGTH.stop + length
    packed = memoryview(content)[start:]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts = [content[:start].replace(_DEFLATED, _EXPLICIT)]
    size = 0
    for place in range(0, len(packed), _BLOCK):
        if inflater.eof:
            break
        parts.append(inflater.decompress(packed[place : place + _BLOCK]))
        size += len(parts[-1])
        if size > _MAX_BYTES:
            msg = (
                f"{path} unpacks to more than {_MAX_BYTES:,} bytes: more than any "
                "X-ray. Remove it."
            )
            raise ImageError(msg)
    return b"".join(parts)
