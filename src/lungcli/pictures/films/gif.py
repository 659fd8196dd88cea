"""Animated GIF with one palette for the whole film."""

import struct
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from lungcli.anatomy import LUNGS, STRUCTURES
from lungcli.arrays import Rgb
from lungcli.pictures.colours import PALETTE, Colour
from lungcli.pictures.films.change import changed_box, changed_pixels
from lungcli.system.spool import Spool

_NUM_COLOURS: Final = 256
_UNCHANGED: Final = 255  # the transparent entry: what the frame before shows stays
_SAMPLES_PER_FRAME: Final = 8192
_MOST_SAMPLES: Final = 1_000_000  # of the film; more choose no better a palette
_OTHERS: Final = [each.colour for each in STRUCTURES if each not in LUNGS]
_KEEP: Final = 1  # the next frame is drawn over this one

Indices = NDArray[np.uint8]  # palette entries, (height, width)


def write_gif_frames(frames: Iterable[Rgb], path: Path, duration_ms: int) -> None:
    """Write an animated GIF that loops for ever.

    All frames share one palette, drawn from the whole film with the colours of
    `colours.PALETTE` and of the structures kept exact, and none is dithered: nothing
    flickers, and areas compress well. The frames wait on disk until the palette is
    known. Of each frame only what changed is stored.

    Args:
        frames: Pictures of one shape `(height, width, 3)`; read once.
        path: The file.
        duration_ms: Of each frame; GIF counts in 10 ms.

    References:
        CompuServe (1990), Graphics Interchange Format, Version 89a,
        https://www.w3.org/Graphics/GIF/spec-gif89a.txt
    """
    with tempfile.TemporaryFile() as waiting, path.open("wb") as stream:
        packed: Spool[bytes] = Spool(waiting)
        samples: list[NDArray[np.uint8]] = []
        exact = dict.fromkeys(PALETTE)
        for frame in frames:
            shape = frame.shape
            packed.append(zlib.compress(frame.tobytes(), 1))
            samples.append(_sample(frame))
            exact |= dict.fromkeys(c for c in _OTHERS if _holds(frame, c))
        palette = _choose_palette(samples, list(exact))
        stream.write(_header(shape[1], shape[0], palette))
        before: Indices | None = None
        for pixels in packed:
            frame = np.frombuffer(zlib.decompress(pixels), np.uint8).reshape(shape)
            indices = _to_indices(frame, palette)
            stream.write(_frame(indices, before, duration_ms))
            before = indices
        stream.write(b";")


def _sample(frame: Rgb) -> NDArray[np.uint8]:
    """Return about `_SAMPLES_PER_FRAME` evenly spread pixels, shape `(n, 3)`."""
    pixels = frame.reshape(-1, 3)
    step = max(1, len(pixels) // _SAMPLES_PER_FRAME)
    return pixels[::step].copy()


def _holds(frame: Rgb, colour: Colour) -> bool:
    parts = [frame[..., part] == value for part, value in enumerate(colour)]
    return bool((parts[0] & parts[1] & parts[2]).any())


def _choose_palette(
    samples: Sequence[NDArray[np.uint8]], exact: Sequence[Colour]
) -> NDArray[np.uint8]:
    """Return 256 colours, shape `(256, 3)`: fixed, adaptive, one for unchanged."""
    num_adaptive = _NUM_COLOURS - len(exact) - 1
    every = -(-len(samples) * _SAMPLES_PER_FRAME // _MOST_SAMPLES)
    pixels = np.concatenate([sample[::every] for sample in samples])
    strip = Image.fromarray(pixels[None])
    # median cut would spend most entries on the many grays and blotch the tints
    chosen = strip.quantize(num_adaptive, Image.Quantize.MAXCOVERAGE)
    adaptive = np.array(chosen.getpalette(), np.uint8).reshape(-1, 3)[:num_adaptive]
    palette = np.zeros((_NUM_COLOURS, 3), np.uint8)
    palette[: len(exact)] = exact
    palette[len(exact) :][: len(adaptive)] = adaptive
    return palette


def _to_indices(frame: Rgb, palette: NDArray[np.uint8]) -> Indices:
    """Return the palette entry nearest to each pixel, shape `(height, width)`."""
    chart = Image.new("P", (1, 1))
    chart.putpalette(palette.tobytes())
    nearest = Image.fromarray(frame).quantize(palette=chart, dither=Image.Dither.NONE)
    indices = np.array(nearest)
    indices[indices == _UNCHANGED] = 0  # both are black
    return indices


def _header(width: int, height: int, palette: NDArray[np.uint8]) -> bytes:
    size = struct.pack("<HHBBB", width, height, 0b11110111, 0, 0)
    for_ever = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    return b"GIF89a" + size + palette.tobytes() + for_ever


def _frame(indices: Indices, before: Indices | None, duration_ms: int) -> bytes:
    """Return the blocks of one frame: its time, then the part that changed."""
    if before is None:
        return _image(indices, (0, 0), duration_ms)
    changed = changed_pixels(before, indices)
    box = changed_box(changed)
    corner = box[1].start, box[0].start
    whole = _image(indices[box], corner, duration_ms)
    # Where little changed this is much the shorter one; in grain that changed here and
    # there, the longer one.
    masked = np.where(changed[box], indices[box], np.uint8(_UNCHANGED))
    return min(whole, _image(masked, corner, duration_ms), key=len)


def _image(indices: Indices, corner: tuple[int, int], duration_ms: int) -> bytes:
    """Return the blocks of an image that is drawn at `corner` (x, y)."""
    blocks = GifImagePlugin.getdata(
        Image.fromarray(indices),
        corner,
        duration=duration_ms,
        transparency=_UNCHANGED,
        disposal=_KEEP,
    )
    return b"".join(blocks)
