"""Read a mask file of any usual encoding to 0/1 or 0/1/2."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import LEFT, RIGHT, LabelMap
from lungcli.data.opening import open_upright
from lungcli.data.sides import holds_both_lungs
from lungcli.errors import ImageError

_MOST_LABELS: Final = 15  # a largest value up to here is a label, not a gray level
_MIDDLE: Final = (0.2, 0.8)  # of the largest value: neither dark nor bright
_MOST_IN_MIDDLE: Final = 0.15  # of the pixels of a mask; X-rays have about half


@dataclass(frozen=True, slots=True)
class RawMask:
    """One mask file's labels, before sides are known.

    Attributes:
        labels: Shape `(height, width)`; 0 and 1, or 0, 1 and 2 if it has sides.
        has_sides: The file tells the lungs apart: 1 the patient's right, 2 left.
    """

    labels: LabelMap
    has_sides: bool


def read_mask(path: Path) -> RawMask:
    """Read a mask, whatever the encoding.

    Three kinds are told apart by the values that occur:

    * up to 2 (as numbers, or as indices into a coloured palette): a label map. With
      0 and 1 alone it is taken for a binary mask, since it cannot be told from one;
      with 0 and 2 alone it is a binary mask if it shows both lungs;
    * 3 to 15: a label map of something else, which is refused;
    * larger: drawn in gray or colour. A pixel is lung from half of the largest
      value on, which undoes anti-aliasing and drops V7's "ignore" (127 of 255). Of
      colours the brightest channel counts, so that red and blue are lung alike; a
      picture of one colour whose alpha varies is drawn in its alpha.

    Raises:
        ImageError: If the file is missing, empty, broken, no image, holds labels
            other than 0, 1 and 2, or is a picture with all shades of gray.
    """
    levels = _levels(open_upright(path).image)
    if levels.dtype.kind == "f":
        levels = np.nan_to_num(levels, nan=0.0)
    largest = levels.max(initial=0)
    if largest <= 0:
        return RawMask(np.zeros(levels.shape, np.uint8), has_sides=False)
    if largest <= _MOST_LABELS and not (levels % 1).any():
        return _label_map(path, levels)
    if _share_of_shades(levels, largest) > _MOST_IN_MIDDLE:
        msg = (
            f"{path} is a picture in many shades of gray, not a mask. Give a mask of "
            "two values, or a label map of 0, 1 and 2."
        )
        raise ImageError(msg)
    return RawMask((levels >= largest / 2).astype(np.uint8), has_sides=False)


def _share_of_shades(levels: NDArray[Any], largest: float) -> float:
    """Return the share of pixels that are neither dark nor bright, from 0 to 1.

    Those of the most frequent such value do not count: V7 draws what is to be ignored
    in one gray.
    """
    low, high = (share * float(largest) for share in _MIDDLE)
    middle = levels[(levels > low) & (levels < high)]
    if not middle.size:
        return 0.0
    _, counts = np.unique(middle, return_counts=True)
    return float((middle.size - counts.max()) / levels.size)


def _label_map(path: Path, labels: NDArray[Any]) -> RawMask:
    largest = int(labels.max())
    if largest > LEFT or int(labels.min()) < 0:
        msg = (
            f"{path} is a label map with labels from {int(labels.min())} to {largest}; "
            "lungcli knows 0 background, 1 right lung, 2 left lung. "
            "Save a mask of the lungs alone."
        )
        raise ImageError(msg)
    has_sides = largest == LEFT
    if has_sides and not (labels == RIGHT).any() and holds_both_lungs(labels > 0):
        return RawMask((labels > 0).astype(np.uint8), has_sides=False)
    return RawMask(labels.astype(np.uint8), has_sides=has_sides)


def _levels(image: Image.Image) -> NDArray[Any]:
    if image.mode == "1":
        return np.array(image, dtype=np.uint8)
    if image.mode == "P":
        return _palette_levels(image)
    if image.has_transparency_data:
        return _transparent_levels(image)
    if image.mode in {"RGB", "CMYK", "YCbCr", "LAB", "HSV"}:
        return _brightest(image.convert("RGB"))
    return np.array(image)


def _palette_levels(image: Image.Image) -> NDArray[Any]:
    # A coloured palette over the indices 0, 1 and 2 is how annotation tools save
    # label maps; a gray one only spells out gray levels.
    indices = np.array(image)
    colours = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 3), np.uint8)  # a short one leaves the rest black
    palette[: len(colours)] = colours
    used = palette[np.bincount(indices.ravel(), minlength=256) > 0]
    is_coloured = bool((used != used[:, :1]).any())
    if is_coloured and int(indices.max()) <= LEFT:
        return indices
    if image.has_transparency_data:
        return _transparent_levels(image)
    levels: NDArray[Any] = palette.max(axis=1)[indices]
    return levels


def _transparent_levels(image: Image.Image) -> NDArray[Any]:
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    levels, alpha = _brightest(image), np.array(image.getchannel("A"))
    if levels.min() == levels.max() and alpha.min() < alpha.max():
        return alpha
    visible: NDArray[Any] = np.where(alpha > 127, levels, 0) if alpha.any() else levels
    return visible


def _brightest(image: Image.Image) -> NDArray[np.uint8]:
    # One channel after the other: all at once would need as much memory again.
    brightest = np.array(image.getchannel("R"))
    for name in "GB":
        np.maximum(brightest, np.asarray(image.getchannel(name)), out=brightest)
    return brightest
