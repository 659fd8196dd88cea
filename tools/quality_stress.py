"""Harder versions of X-rays, with references that fit: masks that may fail.

Good X-rays alone would teach a quality score nothing about bad masks.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image
from scipy import ndimage

from lungcli.arrays import Gray, LabelMap

Pair = tuple[Gray, LabelMap]  # squares of one size
Stress = Callable[[Gray, LabelMap, np.random.Generator], Pair]

_SMOOTH = Image.Resampling.BILINEAR
_NEAREST = Image.Resampling.NEAREST


def rotate(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Turn by 5° to 45°, either way."""
    degrees = rng.uniform(5, 45) * rng.choice([-1, 1])
    return (
        np.asarray(Image.fromarray(image).rotate(degrees, _SMOOTH)),
        np.asarray(Image.fromarray(labels).rotate(degrees, _NEAREST)),
    )


def quarter_turn(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Turn by 90°, 180° or 270°."""
    turns = int(rng.integers(1, 4))
    return np.rot90(image, turns).copy(), np.rot90(labels, turns).copy()


def shrink(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Make the chest small, somewhere in a black square."""
    return _zoom(image, labels, rng.uniform(0.35, 0.75), rng.uniform(-0.15, 0.15, 2))


def enlarge(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Cut a part out of the chest; lungs beyond it are lost to the reference too."""
    return _zoom(image, labels, rng.uniform(1.25, 2.2), rng.uniform(-0.3, 0.3, 2))


def squeeze(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Make it narrow or flat, with black on both sides."""
    side = image.shape[0]
    narrow = round(side * rng.uniform(0.45, 0.75))
    upright = bool(rng.integers(2))
    size = (narrow, side) if upright else (side, narrow)
    squeezed = []
    for pixels, resampling in ((image, _SMOOTH), (labels, _NEAREST)):
        square = np.zeros_like(pixels)
        inner = slice((side - narrow) // 2, (side - narrow) // 2 + narrow)
        place = (slice(None), inner) if upright else (inner, slice(None))
        square[place] = np.asarray(Image.fromarray(pixels).resize(size, resampling))
        squeezed.append(square)
    return squeezed[0], squeezed[1]


def gamma(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Brighten or darken the middle grays, exponent up to 5 or down to 1/5."""
    exponent = np.exp(rng.uniform(0.6, 1.6) * rng.choice([-1, 1]))
    return _to_gray(255 * (image / 255) ** exponent), labels


def fade(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Keep 4 % to 35 % of the contrast, at any brightness."""
    contrast = rng.uniform(0.04, 0.35)
    return _to_gray(rng.uniform(0, 255 * (1 - contrast)) + contrast * image), labels


def shade(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Let the brightness fall off from one side to the other."""
    rows, columns = np.mgrid[
        -0.5 : 0.5 : image.shape[0] * 1j, -0.5 : 0.5 : image.shape[1] * 1j
    ]
    angle = rng.uniform(0, 2 * np.pi)
    slope = rows * np.sin(angle) + columns * np.cos(angle)
    return _to_gray(image * (1 + rng.uniform(0.6, 1.6) * slope)), labels


def invert(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Make bones dark."""
    del rng
    return 255 - image, labels


def noise(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Add white noise of a standard deviation of 15 to 90 gray levels."""
    return _to_gray(image + rng.normal(0, rng.uniform(15, 90), image.shape)), labels


def blur(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Blur with a standard deviation of 0.8 % to 3.5 % of the side."""
    sigma = rng.uniform(0.008, 0.035) * image.shape[0]
    return ndimage.gaussian_filter(image, sigma), labels


def coarsen(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Reduce to a thumbnail of 14 to 55 pixels, and enlarge it again."""
    size = int(rng.integers(14, 56))
    small = Image.fromarray(image).resize((size, size), Image.Resampling.BOX)
    return np.asarray(small.resize(image.shape[::-1], _SMOOTH)), labels


def compress(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Store as JPEG of the lowest qualities."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(1, 12)))
    return np.asarray(Image.open(file)), labels


def occlude(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Hide what is behind one to four boxes; the lungs go on behind them."""
    hidden = image.copy()
    for _ in range(int(rng.integers(1, 5))):
        size = rng.uniform(0.1, 0.4, 2)
        top, left = (rng.uniform(0, 1 - size) * image.shape[0]).astype(int)
        height, width = (size * image.shape[0]).astype(int)
        hidden[top : top + height, left : left + width] = rng.integers(0, 256)
    return hidden, labels


def collimate(image: Gray, labels: LabelMap, rng: np.random.Generator) -> Pair:
    """Black out up to a third on each side; lungs there are lost to the reference."""
    side = image.shape[0]
    top, bottom, left, right = (rng.uniform(0, 0.35, 4) * side).astype(int)
    exposed = np.zeros(image.shape, dtype=np.bool_)
    exposed[top : side - bottom, left : side - right] = True
    return np.where(exposed, image, np.uint8(0)), np.where(exposed, labels, np.uint8(0))


STRESSES: Final[tuple[Stress, ...]] = (
    rotate,
    quarter_turn,
    shrink,
    enlarge,
    squeeze,
    gamma,
    fade,
    shade,
    invert,
    noise,
    blur,
    coarsen,
    compress,
    occlude,
    collimate,
)


def _zoom(image: Gray, labels: LabelMap, scale: float, shift: np.ndarray) -> Pair:
    side = image.shape[0]
    down, right = (side / 2 - (side / 2 + shift * side) / scale).tolist()
    inverse = (1 / scale, 0.0, right, 0.0, 1 / scale, down)
    affine = Image.Transform.AFFINE
    return (
        np.asarray(
            Image.fromarray(image).transform(image.shape, affine, inverse, _SMOOTH)
        ),
        np.asarray(
            Image.fromarray(labels).transform(labels.shape, affine, inverse, _NEAREST)
        ),
    )


def _to_gray(values: np.ndarray) -> Gray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
