"""The first frame of a DICOM image, decoded to the words that its file stores."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from lungcli.data.dicom.codestream import stream_size
from lungcli.data.dicom.dataset import kind_of, transfer_syntax
from lungcli.data.dicom.tags import code, whole
from lungcli.data.images import MIN_SIDE, TooSmallError
from lungcli.data.opening import MAX_PIXELS, check_scans, too_large
from lungcli.errors import ImageError

# The first of these that decodes a syntax, and no second try. gdcm writes to stderr
# what it dislikes in JPEG and JPEG 2000; the CharLS in pyjpegls takes up to minutes to
# give up a damaged JPEG-LS stream (see team-charls/charls pull request 334).
_PREFERRED: Final = ("pylibjpeg", "pillow", "gdcm")
_EXPORT: Final = "Export it uncompressed (for example with dcmdjpeg or gdcmconv --raw)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Pixels as stored, before any meaning is given to them.

    Attributes:
        words: Shape `(height, width)`, or `(height, width, 3)` in colours; unsigned
            8 or 16 bits, whatever they stand for.
        bits: How many bits of a word count.
        shift: How many bits below them do not.
        signed: Whether they are in two's complement.
        num_frames: How many frames the file holds.
    """

    words: NDArray[Any]
    bits: int
    shift: int
    signed: bool
    num_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    num_frames: int


def read_frame(path: Path, dataset: Dataset) -> Frame:
    """Decode the first frame.

    Nothing is allocated before the size that the header claims has been compared with
    what is there. pydicom warns of whatever it mends: call it where warnings are off.

    Args:
        path: Named in errors.
        dataset: As parsed from it.

    Raises:
        ImageError: If there are no pixels, too few or implausibly many of them, or
            they are encoded in a way that cannot be decoded.
        TooSmallError: If a side has fewer than `MIN_SIDE` pixels.
    """
    pixels = _pixel_data(path, dataset)
    layout = _layout(path, dataset)
    syntax = transfer_syntax(dataset)
    decoder = _decoder(path, syntax)
    depth = layout.stored
    if decoder.is_encapsulated:
        depth = _check_stream(path, pixels, layout, syntax)
    else:
        _check_length(path, dataset, pixels, layout)
    samples = _decode(path, dataset, layout, decoder)
    sign_kept = syntax in {*JPEG2000TransferSyntaxes, *JPEGLSTransferSyntaxes}
    return Frame(
        words=_words(samples),
        # their decoders have extended the sign already, from the stream's own depth
        bits=max(layout.stored, depth) if sign_kept else layout.stored,
        shift=0
        if decoder.is_encapsulated and syntax != RLELossless
        else _unused_below(dataset, layout),
        signed=_signed(dataset),
        num_frames=layout.num_frames,
    )


def photometric(dataset: Dataset) -> str:
    """Return the photometric interpretation; MONOCHROME2 where it is missing."""
    return code(dataset, "PhotometricInterpretation") or "MONOCHROME2"


def _signed(dataset: Dataset) -> bool:
    return whole(dataset, "PixelRepresentation") == 1


def _pixel_data(path: Path, dataset: Dataset) -> bytes:
    try:
        pixels = dataset.get("PixelData")
    except Exception:
        pixels = None
    if isinstance(pixels, bytes) and pixels:
        return pixels
    msg = (
        f"{path} is DICOM, but holds no pixels ({kind_of(dataset)}). "
        "Remove it, or copy it again if it should hold an X-ray."
    )
    raise ImageError(msg)


def _layout(path: Path, dataset: Dataset) -> _Layout:
    allocated = whole(dataset, "BitsAllocated")
    layout = _Layout(
        rows=whole(dataset, "Rows"),
        columns=whole(dataset, "Columns"),
        samples=whole(dataset, "SamplesPerPixel", 1),
        allocated=allocated,
        stored=whole(dataset, "BitsStored", allocated),
        num_frames=max(1, whole(dataset, "NumberOfFrames", 1)),
    )
    size = f"{layout.columns}×{layout.rows}"
    if layout.rows * layout.columns * allocated <= 0 or layout.samples not in {1, 3}:
        msg = (
            f"{path} is broken: its header tells of {size} pixels with "
            f"{layout.samples} × {allocated} bits. Export it again, or remove it."
        )
        raise ImageError(msg)
    if allocated not in {8, 16} or not 1 <= layout.stored <= allocated:
        msg = (
            f"{path} stores {layout.stored} of {allocated} bits a pixel; only 8 and 16 "
            "bits are read. Export it again, or remove it."
        )
        raise ImageError(msg)
    if layout.rows * layout.columns > MAX_PIXELS:
        raise too_large(path, (layout.columns, layout.rows))
    if min(layout.rows, layout.columns) < MIN_SIDE:
        msg = (
            f"{path} has {size} pixels: too small for a chest X-ray "
            f"(at least {MIN_SIDE} on each side). Replace or remove the file."
        )
        raise TooSmallError(msg)
    return layout


def _decoder(path: Path, syntax: UID) -> Any:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        name = "an unknown transfer syntax" if syntax.name == syntax else syntax.name
        msg = f"{path} is encoded as {name}, which is not read. {_EXPORT}."
        raise ImageError(msg) from error
    if not decoder.is_available:
        msg = f"{path} is encoded as {syntax.name}, which is not read. {_EXPORT}."
        raise ImageError(msg)
    return decoder


def _decode(
    path: Path, dataset: Dataset, layout: _Layout, decoder: Any
) -> NDArray[Any]:
    usable = decoder.available_plugins
    try:
        samples, _ = decoder.as_array(
            dataset.PixelData,
            index=0,
            validate=False,
            decoding_plugin=next((name for name in _PREFERRED if name in usable), ""),
            **_options(dataset, layout),
        )
    except Exception as error:  # decoders raise a dozen kinds on broken files
        msg = (
            f"{path} is broken, or in a form of {decoder.UID.name} that cannot be "
            f"decoded. {_EXPORT}, copy it again, or remove it."
        )
        raise ImageError(msg) from error
    return np.asarray(samples)


def _options(dataset: Dataset, layout: _Layout) -> dict[str, Any]:
    return {
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.allocated,
        "bits_stored": layout.stored,
        "number_of_frames": layout.num_frames,
        "photometric_interpretation": photometric(dataset),
        "pixel_representation": _signed(dataset),
        "planar_configuration": min(1, whole(dataset, "PlanarConfiguration")),
        "pixel_keyword": "PixelData",
        "pixel_vr": dataset["PixelData"].VR,
        "view_only": True,
        # the table of values drops them: no pass over the image is needed
        "correct_unused_bits": False,
    }


def _check_length(path: Path, dataset: Dataset, pixels: bytes, layout: _Layout) -> None:
    expected = layout.rows * layout.columns * layout.samples * layout.allocated // 8
    if photometric(dataset) == "YBR_FULL_422":
        expected = expected // 3 * 2
    if len(pixels) < expected:
        msg = (
            f"{path} is cut off, or its header is wrong: {len(pixels):,} of "
            f"{expected:,} bytes of pixels are there. Copy or export it again."
        )
        raise ImageError(msg)


def _check_stream(path: Path, pixels: bytes, layout: _Layout, syntax: UID) -> int:
    """Compare the compressed frame's own header with the file's; return its depth."""
    try:
        stream = get_frame(pixels, 0, number_of_frames=layout.num_frames)
    except Exception as error:
        msg = (
            f"{path} is cut off, or broken: its compressed pixels cannot be found. "
            "Copy or export it again."
        )
        raise ImageError(msg) from error
    if syntax == RLELossless:  # has no header of its own
        return layout.stored
    size = stream_size(stream)
    if size is None:  # or the decoder might find one, of any size
        msg = (
            f"{path} is broken: its pixels are not compressed as {syntax.name}. "
            "Copy or export it again."
        )
        raise ImageError(msg)
    check_scans(path, BytesIO(stream))
    told = (layout.columns, layout.rows)
    # a height of 0 is told after the first scan, in JPEG
    if (size.width, size.height or layout.rows) != told or size.bits > layout.allocated:
        msg = (
            f"{path} is broken: its header tells of {told[0]}×{told[1]} pixels of "
            f"{layout.allocated} bits, its compressed image of {size.width}×"
            f"{size.height} of {size.bits}. Export it again, or remove it."
        )
        raise ImageError(msg)
    return size.bits


def _unused_below(dataset: Dataset, layout: _Layout) -> int:
    highest = whole(dataset, "HighBit", layout.stored - 1)
    if not layout.stored <= highest + 1 <= layout.allocated:
        return 0
    return highest + 1 - layout.stored


def _words(samples: NDArray[Any]) -> NDArray[Any]:
    native = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    return native.view(f"u{native.dtype.itemsize}")
