"""Decode a CXR that is a picture to 8-bit gray: air dark, bone bright."""

import os
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray
from lungcli.data.opening import Opened, load_upright
from lungcli.data.stretch import Stretch, percentile_stretch, sampled
from lungcli.data.xray import Xray
from lungcli.errors import ImageError

MIN_SIDE: Final = 32  # pixels; below, no lung can be told from its neighbour
RAW_SUFFIX: Final = ".img"
_RAW_SIDE: Final = 2048
_RAW_MAX: Final = 4095  # 12 bits used
_DEEP_MODES: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


class TooSmallError(ImageError):
    """The image has fewer than `MIN_SIDE` pixels on a side."""


def decode_image(path: Path, file: BinaryIO) -> Xray:
    """Decode a CXR to 8-bit gray: a file `.img` as JSRT's raw format.

    Others are PNG, JPEG, GIF, TIFF or BMP, whatever their suffix. 8-bit gray is
    returned unchanged. Colours and palettes become luma (ITU-R 601); what is
    transparent becomes black, unless everything is. More than 8 bits are scaled by
    `to_8bit`. EXIF orientation is applied; of several pages the first is taken, and
    the notes say so.

    Args:
        path: Named in errors; its suffix tells the raw format.
        file: At its start.

    Raises:
        ImageError: If the file is broken or no image.
        TooSmallError: If a side has fewer than `MIN_SIDE` pixels.
    """
    if path.suffix.lower() == RAW_SUFFIX:
        return _decode_raw(path, file)
    opened = load_upright(path, file)
    width, height = opened.image.size
    if min(width, height) < MIN_SIDE:
        msg = (
            f"{path} has {width}×{height} pixels: too small for a chest X-ray "
            f"(at least {MIN_SIDE} on each side). Replace or remove the file."
        )
        raise TooSmallError(msg)
    if opened.image.mode in _DEEP_MODES:
        return _read_deep(path, opened)
    return _read_8bit(opened)


def _decode_raw(path: Path, file: BinaryIO) -> Xray:
    """Decode a JSRT `.IMG`: headerless, 2048×2048, big-endian, 12 bits, inverted.

    Values are clipped to 4095, turned (`4095 - x`) and scaled by percentiles as
    every other image of more than 8 bits is: a fixed window 0 to 4095 would keep
    the film's density scale, but no other set has one, and a network that has
    learned stretched images should see this one stretched too.

    References:
        Shiraishi et al. (2000), AJR 174(1):71-74,
        https://doi.org/10.2214/ajr.174.1.1740071
    """
    expected = _RAW_SIDE * _RAW_SIDE * 2
    actual = os.fstat(file.fileno()).st_size
    if actual != expected:
        msg = (
            f"{path} has {actual:,} bytes; a JSRT .IMG of {_RAW_SIDE}×{_RAW_SIDE} "
            f"16-bit pixels has {expected:,}. Copy or download it again."
        )
        raise ImageError(msg)
    values = np.frombuffer(file.read(), dtype=">u2").reshape(_RAW_SIDE, _RAW_SIDE)
    bright_bone = _RAW_MAX - np.minimum(values, _RAW_MAX)
    pixels, low, high = to_8bit(bright_bone)
    return Xray(
        pixels=pixels,
        low=_RAW_MAX - low,
        high=_RAW_MAX - high,
        notes=("12-bit raw, inverted, scaled by percentiles",),
    )


def to_8bit(values: NDArray[Any]) -> tuple[Gray, float, float]:
    """Scale an image of more than 8 bits to 0..255, as `percentile_stretch` chooses.

    Args:
        values: Shape `(height, width)`, any real type; NaN counts as low, infinities
            as the ends they point to.

    Returns:
        The 8-bit image, and the values mapped to 0 and to 255. A constant image is
        all 0, with both values equal.

    Raises:
        ValueError: If no value is finite.
    """
    stretch = _stretch_of(values)
    if _are_words(values):
        table = _scale(np.arange(2**16), stretch)  # 20 million pixels, 65536 sums
        return table[values], stretch.low, stretch.high
    return _scale(values, stretch), stretch.low, stretch.high


def _are_words(values: NDArray[Any]) -> bool:
    return values.dtype.itemsize <= 2 and values.dtype.kind == "u"


def _stretch_of(values: NDArray[Any]) -> Stretch:
    sample = sampled(values)
    if _are_words(values):  # sorting them would take ten times as long
        return percentile_stretch(
            np.arange(2.0**16), np.bincount(sample, minlength=2**16)
        )
    finite = sample[np.isfinite(sample)] if values.dtype.kind == "f" else sample
    if finite.size == 0:
        msg = "the image holds no finite value."
        raise ValueError(msg)
    there, counts = np.unique(finite, return_counts=True)
    return percentile_stretch(there.astype(np.float64), counts)


def _scale(values: NDArray[Any], stretch: Stretch) -> Gray:
    inside = np.clip(values.astype(np.float64), stretch.low, stretch.high)
    levels = stretch(np.nan_to_num(inside, nan=stretch.low))
    return np.rint(255.0 * levels).astype(np.uint8)


def _read_deep(path: Path, opened: Opened) -> Xray:
    values = np.asarray(opened.image)
    try:
        pixels, low, high = to_8bit(values)
    except ValueError as error:
        msg = f"{path} cannot be used: {error} Replace or remove the file."
        raise ImageError(msg) from error
    kind = "float" if values.dtype.kind == "f" else f"{values.dtype.itemsize * 8}-bit"
    notes = [*opened.notes, f"{kind} scaled by percentiles"]
    if opened.inverted:
        pixels, low, high = 255 - pixels, high, low
        notes.append("inverted (WhiteIsZero)")
    if low == high:
        notes.append("constant")
    return Xray(pixels=pixels, low=low, high=high, notes=tuple(notes))


def _read_8bit(opened: Opened) -> Xray:
    image, notes = opened.image, list(opened.notes)
    if image.mode == "P":
        notes.append("palette")
    if not image.has_transparency_data:
        return Xray(pixels=luma(image), notes=tuple(notes))
    gray, alpha = _gray_and_alpha(image)
    if alpha.any() and alpha.min() < 255:  # a channel of zeros is an exporter's bug
        notes.append("transparent parts black")
        gray = ((gray.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return Xray(pixels=gray, notes=tuple(notes))


def luma(image: Image.Image) -> Gray:
    """Return what of an image is light, ITU-R 601."""
    if image.mode not in {"1", "L", "RGB"}:
        image = image.convert("RGB")
    return np.array(image.convert("L"))


def _gray_and_alpha(image: Image.Image) -> tuple[Gray, Gray]:
    pair = np.array(image.convert("RGBA").convert("LA"))
    return pair[:, :, 0], pair[:, :, 1]
