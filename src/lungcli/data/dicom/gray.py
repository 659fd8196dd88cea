"""Give stored words their meaning: 8-bit gray, air dark and bone bright.

A word has 65,536 values at most, so all of it happens in one table: unused bits, sign,
modality LUT, VOI, polarity and padding cost a single look-up per pixel.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut

from lungcli.arrays import Gray
from lungcli.data.dicom.frame import Frame, photometric
from lungcli.data.dicom.lookup import read_lut
from lungcli.data.dicom.tags import code, number
from lungcli.data.dicom.voi import read_voi
from lungcli.data.images import luma
from lungcli.data.stretch import percentile_stretch, sampled
from lungcli.errors import ImageError

_MOST_CLIPPED: Final = 0.5  # of the middle; a window for chests hides a fifth at most
_LEAST_VALUES: Final = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as a person would see it, and how it came to be so.

    Attributes:
        pixels: Air dark, bone bright.
        low: Value, after the modality LUT, that became 0.
        high: Value that became 255.
        notes: As in `Xray`; so are `doubts`.
    """

    pixels: Gray
    low: float = 0.0
    high: float = 255.0
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Values:
    """What each word of the table stands for.

    Attributes:
        stored: Without unused bits, with sign.
        real: After the modality LUT.
        counts: How often each occurs in a sample of the image; 0 for padding.
        in_middle: The same for the image without a quarter at each border.
        padding: Where the word stands for no measurement.
    """

    stored: NDArray[np.float64]
    real: NDArray[np.float64]
    counts: NDArray[np.int64]
    in_middle: NDArray[np.int64]
    padding: NDArray[np.bool_]


def to_gray(path: Path, frame: Frame, dataset: Dataset) -> Shown:
    """Turn a decoded frame into 8-bit gray, air dark and bone bright.

    The order is the standard's: modality LUT or rescale, then VOI LUT or window, then
    inversion, once, for `MONOCHROME1`. `PresentationLUTShape` repeats what
    `PhotometricInterpretation` says (`INVERSE` goes with `MONOCHROME1`, `IDENTITY`
    with `MONOCHROME2`); where the two contradict each other the latter, which every
    image has and every viewer follows, decides, and the contradiction is a doubt.
    Without VOI LUT and window, 8 bits stay as they are and more are stretched as
    `lungcli.data.images.to_8bit` does. Colours and palettes become luma (ITU-R 601).

    Args:
        path: Named in errors.
        frame: As decoded.
        dataset: What it was decoded from.

    Raises:
        ImageError: If a palette is missing or broken.

    References:
        DICOM PS3.4 section N.2 (the pipeline), PS3.3 sections C.7.6.3.1.2
        (photometric interpretation) and C.8.11.3.1.2 (presentation LUT shape).
    """
    if frame.words.ndim == 3:
        return Shown(_luma(frame.words, frame.bits), notes=("colours",))
    if photometric(dataset) == "PALETTE COLOR":
        return Shown(_from_palette(path, frame, dataset), notes=("palette",))
    return _from_monochrome(frame, dataset)


def _from_monochrome(frame: Frame, dataset: Dataset) -> Shown:
    values, notes = _values(frame, dataset)
    levels, how, doubts = _view(frame, dataset, values)
    low, high = _ends(levels, values)
    notes.append(how)
    if photometric(dataset) == "MONOCHROME1":
        levels, low, high = 1.0 - levels, high, low
        notes.append("inverted (MONOCHROME1)")
    table = np.rint(levels * 255.0).astype(np.uint8)
    if values.padding.any():
        table[values.padding] = 0
        notes.append("padding black")
    expected = "INVERSE" if photometric(dataset) == "MONOCHROME1" else "IDENTITY"
    shape = code(dataset, "PresentationLUTShape")
    if shape in {"INVERSE", "IDENTITY"} and shape != expected:
        doubts.append(f"{photometric(dataset)} contradicts {shape}: maybe inverted")
    said = tuple(note for note in notes if note)
    return Shown(table.take(frame.words), low, high, said, tuple(doubts))


def _ends(levels: NDArray[np.float64], values: _Values) -> tuple[float, float]:
    """Return which of the values that occur became the darkest and the brightest."""
    present = values.counts > 0
    if not present.any():
        return 0.0, 0.0
    real, shown = values.real[present], levels[present]
    darkest, brightest = (real[shown == end] for end in (shown.min(), shown.max()))
    if real[shown.argmin()] <= real[shown.argmax()]:
        return float(darkest.max()), float(brightest.min())
    return float(darkest.min()), float(brightest.max())


def _values(frame: Frame, dataset: Dataset) -> tuple[_Values, list[str]]:
    stored = _stored_values(frame)
    real, note = _after_modality(dataset, stored, signed=frame.signed)
    padding = _is_padding(dataset, stored, signed=frame.signed)
    counts, in_middle = (
        np.bincount(sampled(words), minlength=stored.size)
        for words in (frame.words, _middle(frame.words))
    )
    counts[padding] = in_middle[padding] = 0
    return _Values(stored, real, counts, in_middle, padding), [note]


def _middle(words: NDArray[Any]) -> NDArray[Any]:
    rows, columns = (length // 4 for length in words.shape)
    return words[rows : words.shape[0] - rows, columns : words.shape[1] - columns]


def _stored_values(frame: Frame) -> NDArray[np.float64]:
    words = np.arange(2 ** (8 * frame.words.dtype.itemsize))
    stored = (words >> frame.shift) & (2**frame.bits - 1)
    if frame.signed:
        stored -= (stored >> (frame.bits - 1)) << frame.bits
    return np.asarray(stored, np.float64)


def _after_modality(
    dataset: Dataset, stored: NDArray[np.float64], *, signed: bool
) -> tuple[NDArray[np.float64], str]:
    lut = read_lut(dataset, "ModalityLUTSequence", signed=signed)
    if lut is not None:
        return lut(stored), "modality LUT"
    slope = number(dataset, "RescaleSlope")
    intercept = number(dataset, "RescaleIntercept")
    if not slope or intercept is None or (slope, intercept) == (1.0, 0.0):
        return stored, ""
    return stored * slope + intercept, f"rescaled by {slope:g} and {intercept:g}"


def _is_padding(
    dataset: Dataset, stored: NDArray[np.float64], *, signed: bool
) -> NDArray[np.bool_]:
    ends = [
        _with_sign(value, signed=signed)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        if (value := number(dataset, keyword)) is not None
    ]
    if not ends or number(dataset, "PixelPaddingValue") is None:
        return np.zeros(stored.shape, np.bool_)
    return (stored >= min(ends)) & (stored <= max(ends))


def _with_sign(value: float, *, signed: bool) -> float:
    word = value % 2**16  # written as US where SS is due, or the other way round
    return word - 2**16 if signed and word >= 2**15 else word


def _view(
    frame: Frame, dataset: Dataset, values: _Values
) -> tuple[NDArray[np.float64], str, list[str]]:
    doubts: list[str] = []
    present = values.counts > 0
    voi = read_voi(dataset, signed=bool(values.real.min() < 0))
    if voi is not None:
        levels = voi(values.real)
        clipped = _share_clipped(levels, values)
        if not present.any() or np.ptp(levels[present]) == 0:
            doubts.append(f"{voi} shows nothing: not used")
        elif clipped > _MOST_CLIPPED:
            doubts.append(f"{voi} hides {100 * clipped:.0f} % of the middle: not used")
        else:
            return levels, str(voi), doubts
    if not present.any() or np.ptp(values.real[present]) == 0:
        return np.zeros(values.real.shape), "constant", ["constant image"]
    if frame.bits == 8 and values.real is values.stored and not frame.signed:
        return values.real / 255.0, "", doubts
    real, how = values.real, f"{frame.bits}-bit scaled by percentiles"
    if _is_linear(dataset):
        real, how = np.log(np.maximum(real, 1.0)), f"logarithm, {how}"
    stretch = percentile_stretch(real, values.counts)
    return stretch(real), how, doubts


def _share_clipped(levels: NDArray[np.float64], values: _Values) -> float:
    """Return how much of the middle, where the chest is, becomes black or white.

    Where the middle has few values there is no chest to hide.
    """
    counts = values.in_middle
    if np.count_nonzero(counts) < _LEAST_VALUES:
        return 0.0
    hidden = (levels <= 0.0) | (levels >= 1.0)
    return float(counts[hidden].sum() / counts.sum())


def _is_linear(dataset: Dataset) -> bool:
    """Tell raw intensities: what attenuates is their logarithm (Beer and Lambert)."""
    raw = code(dataset, "PresentationIntentType") == "FOR PROCESSING"
    return raw and code(dataset, "PixelIntensityRelationship") == "LIN"


def _from_palette(path: Path, frame: Frame, dataset: Dataset) -> Gray:
    try:
        colours = apply_color_lut(_stored_values(frame).astype(np.int32), dataset)
    except Exception as error:  # a dozen kinds, as everywhere in pydicom
        msg = (
            f"{path} is broken: its palette cannot be used. "
            "Export it again, or remove it."
        )
        raise ImageError(msg) from error
    bits = 8 * colours.dtype.itemsize
    table: Gray = _luma(colours[None, :, :3], bits)[0]
    return table.take(frame.words)


def _luma(colours: NDArray[Any], bits: int) -> Gray:
    eight = (colours >> max(0, bits - 8)).astype(np.uint8)
    return luma(Image.fromarray(np.ascontiguousarray(eight)))
