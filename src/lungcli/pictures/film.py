"""Pictures to files: animated GIF and PNG."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray, Rgb
from lungcli.files import whole_file
from lungcli.pictures.colours import PALETTE, Colour

_NUM_COLOURS = 256
_TWINS = (254, 255)  # two entries of one colour; see _to_indices
_SAMPLES_PER_FRAME = 8192
_SHORTEST_MS = 20  # browsers slow anything faster down to 100 ms


def write_png(picture: Rgb | Gray, path: Path) -> Path:
    """Write a picture as PNG, whole or not at all, and return `path`.

    Args:
        picture: Shape `(height, width, 3)` or `(height, width)`.
        path: The file; parent folders are made.

    Raises:
        OutputError: If the file cannot be written.
    """
    with whole_file(path) as part:
        iio.imwrite(part, picture, plugin="pillow", extension=".png")
    return path


def write_gif(frames: Iterable[Rgb], path: Path, *, fps: float = 10) -> Path:
    """Write an animated GIF that loops for ever, and return `path`.

    All frames share one palette, drawn from the whole film with the colours of
    `colours.PALETTE` kept exact, and none is dithered: nothing flickers, and areas
    compress well. Frames are held compressed until the palette is known.

    Args:
        frames: Pictures of one shape `(height, width, 3)`; read once.
        path: The file; parent folders are made.
        fps: Frames a second. GIF counts in 10 ms: the nearest such duration, at
            least 20 ms, is taken.

    Raises:
        ValueError: If there is no frame, their shapes differ, or `fps` is not above 0.
        OutputError: If the file cannot be written.
    """
    if fps <= 0:
        msg = f"fps {fps}: must be above 0."
        raise ValueError(msg)
    reel = _Reel(frames)
    palette = _choose_palette(reel.sample, reel.corner)
    duration = max(_SHORTEST_MS, 10 * round(100 / fps))
    with (
        whole_file(path) as part,
        iio.imopen(part, "w", plugin="pillow", extension=".gif") as film,
    ):
        for number, frame in enumerate(reel):
            film.write(
                _to_indices(frame, palette, number),
                mode="P",
                palette=palette.tobytes(),
                duration=duration,
                loop=0,
            )
    return path


class _Reel:
    """The frames of a film, compressed in memory, and a sample of their pixels."""

    def __init__(self, frames: Iterable[Rgb]) -> None:
        self._packed: list[bytes] = []
        samples = []
        for frame in frames:
            if not self._packed:
                self._shape = frame.shape
                self.corner: Colour = tuple(frame[0, 0].tolist())
            if frame.shape != self._shape or frame.ndim != 3:
                msg = f"a frame is {frame.shape}, the first one is {self._shape}."
                raise ValueError(msg)
            self._packed.append(zlib.compress(frame.tobytes(), 1))
            samples.append(_sample(frame))
        if not samples:
            msg = "a film needs at least one frame."
            raise ValueError(msg)
        self.sample = np.concatenate(samples)

    def __iter__(self) -> Iterator[Rgb]:
        for packed in self._packed:
            yield np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self._shape)


def _sample(frame: Rgb) -> NDArray[np.uint8]:
    """Return about `_SAMPLES_PER_FRAME` evenly spread pixels, shape `(n, 3)`."""
    pixels = frame.reshape(-1, 3)
    step = max(1, len(pixels) // _SAMPLES_PER_FRAME)
    return pixels[::step].copy()


def _choose_palette(sample: NDArray[np.uint8], corner: Colour) -> NDArray[np.uint8]:
    """Return 256 colours, shape `(256, 3)`: fixed, adaptive, twice the corner's."""
    num_adaptive = _NUM_COLOURS - len(PALETTE) - len(_TWINS)
    strip = Image.fromarray(sample[None])
    # median cut would spend most entries on the many grays and blotch the tints
    chosen = strip.quantize(num_adaptive, Image.Quantize.MAXCOVERAGE)
    adaptive = np.array(chosen.getpalette(), np.uint8).reshape(-1, 3)[:num_adaptive]
    palette = np.zeros((_NUM_COLOURS, 3), np.uint8)
    palette[: len(PALETTE)] = PALETTE
    palette[len(PALETTE) :][: len(adaptive)] = adaptive
    palette[list(_TWINS)] = corner
    return palette


def _to_indices(
    frame: Rgb, palette: NDArray[np.uint8], number: int
) -> NDArray[np.uint8]:
    """Return the palette index of each pixel, shape `(height, width)`.

    Pillow drops a frame that equals the one before. The palette therefore holds the
    colour of the film's top left pixel twice, and that pixel takes the two by turns:
    no two neighbouring frames are equal, though they may look so.
    """
    chart = Image.new("P", (1, 1))
    chart.putpalette(palette.tobytes())
    nearest = Image.fromarray(frame).quantize(palette=chart, dither=Image.Dither.NONE)
    indices = np.array(nearest)
    indices[0, 0] = _TWINS[number % 2]
    return indices
