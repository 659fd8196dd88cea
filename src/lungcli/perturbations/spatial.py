"""Another position of the patient: image and reference move as one.

Gray values are interpolated, labels take the nearest pixel. What comes in from outside
is black and no lung; what leaves is lost for both.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from lungcli.perturbations.sample import Sample

Move = Callable[[Image.Image, Image.Resampling], Image.Image]


def rotate(sample: Sample, degrees: float, rng: Generator) -> Sample:
    """Turn around the centre of the picture, counter-clockwise for positive angles."""
    del rng

    def turned(picture: Image.Image, how: Image.Resampling) -> Image.Image:
        return picture.rotate(degrees, resample=how)

    return _moved(sample, turned)


def scale(sample: Sample, factor: float, rng: Generator) -> Sample:
    """Enlarge around the centre of the picture; below 1, reduce onto black.

    Args:
        sample: What is scaled; it keeps its shape.
        factor: Above 0.
        rng: Not used.
    """
    del rng
    return _moved(sample, _enlarge(factor) if factor >= 1 else _reduce(factor))


def shift(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Move by whole pixels, so that no gray value changes, in a random direction.

    Args:
        sample: What is moved.
        percent: Distance in percent of the longer side.
        rng: Draws the direction.
    """
    direction = rng.uniform(0, 2 * math.pi)
    distance = percent / 100 * max(sample.image.shape)
    rows = round(distance * math.sin(direction))
    columns = round(distance * math.cos(direction))
    return Sample(*(move_pixels(array, rows, columns) for array in sample))


def move_pixels(array: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Move down and to the right (negative: up and left), with 0 from outside.

    Examples:
        >>> move_pixels(np.array([[1, 2, 3]], np.uint8), 0, 1)
        array([[0, 1, 2]], dtype=uint8)
    """
    moved = np.zeros_like(array)
    (to_rows, from_rows), (to_columns, from_columns) = (
        _spans(offset, length)
        for offset, length in zip((rows, columns), array.shape, strict=True)
    )
    moved[to_rows, to_columns] = array[from_rows, from_columns]
    return moved


def _spans(offset: int, length: int) -> tuple[slice, slice]:
    """Return where the pixels that stay within a side go to, and come from."""
    kept = max(0, length - abs(offset))
    low, high = max(0, offset), max(0, -offset)
    return slice(low, low + kept), slice(high, high + kept)


def _moved(sample: Sample, move: Move) -> Sample:
    return Sample(
        np.asarray(move(Image.fromarray(sample.image), Image.Resampling.BILINEAR)),
        np.asarray(move(Image.fromarray(sample.labels), Image.Resampling.NEAREST)),
    )


def _enlarge(factor: float) -> Move:
    def enlarged(picture: Image.Image, how: Image.Resampling) -> Image.Image:
        margins = [length * (1 - 1 / factor) / 2 for length in picture.size]
        left, top = margins
        box = (left, top, picture.width - left, picture.height - top)
        return picture.resize(picture.size, how, box=box)

    return enlarged


def _reduce(factor: float) -> Move:
    def reduced(picture: Image.Image, how: Image.Resampling) -> Image.Image:
        size: Any = tuple(max(1, round(length * factor)) for length in picture.size)
        canvas = Image.new(picture.mode, picture.size)
        corner = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
        canvas.paste(picture.resize(size, how), corner)
        return canvas

    return reduced
