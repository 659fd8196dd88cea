"""Read a mask file of any usual encoding to 0/1, or to a label map."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import BACKGROUND, BY_LABEL, IGNORE, LUNG_LABELS
from lungcli.arrays import LabelMap, is_lung
from lungcli.data.mask_formats import READERS, read_format
from lungcli.data.opening import IMAGE_SUFFIXES, open_upright
from lungcli.data.sides import derive_sides, holds_both_lungs
from lungcli.errors import ImageError

MASK_SUFFIXES: Final = (*READERS, *sorted(IMAGE_SUFFIXES))
_LARGEST: Final = max(BY_LABEL)
_MOST_LABELS: Final = 15  # a largest value up to here is a label, not a gray level
_MIDDLE: Final = (0.2, 0.8)  # of the largest value: neither dark nor bright
_MOST_IN_MIDDLE: Final = 0.15  # of the pixels of a mask; X-rays have about half
_LEAST_LABELLED: Final = 0.01  # of the pixels; fewer are what smoothing left


@dataclass(frozen=True, slots=True)
class RawMask:
    """One mask file's labels, before sides are known.

    Attributes:
        labels: Shape `(height, width)`; where it has no sides, 1 is either lung.
        has_sides: The file tells the lungs apart: 1 the patient's right, 2 left.
    """

    labels: LabelMap
    has_sides: bool

    def with_sides(self) -> LabelMap:
        """Return the labels, the lungs parted by where they lie if they were not."""
        if self.has_sides:
            return self.labels
        lungs = is_lung(self.labels)
        return np.where(lungs, derive_sides(lungs), self.labels)


def read_mask(path: Path) -> RawMask:
    """Read a mask, whatever the encoding; by its suffix, if it is no picture.

    Three kinds are told apart by the values that occur:

    * up to 3 (as numbers, or as indices into a coloured palette): a label map, in
      which 3 is the heart. With 0 and 1 alone it is taken for a binary mask, since
      it cannot be told from one; one label alone that shows both lungs is either.
      255 is where nobody knows, if such labels and the background each have at least
      1 % of the pixels;
    * 4 to 15: a label map of something else, which is refused;
    * larger: drawn in gray or colour. A pixel is lung from half of the largest
      value on, which undoes anti-aliasing and drops V7's "ignore" (127 of 255). Of
      colours the brightest channel counts, so that red and blue are lung alike; a
      picture of one colour whose alpha varies is drawn in its alpha.

    Raises:
        ImageError: If the file is missing, empty, broken, no image, holds labels
            other than those, or is a picture with all shades of gray.
    """
    levels = read_format(path)
    if levels is None:
        levels = _levels(open_upright(path).image)
    if levels.dtype.kind == "f":
        levels = np.nan_to_num(levels, nan=0.0)
    largest = levels.max(initial=0)
    if largest <= 0:
        return RawMask(np.zeros(levels.shape, np.uint8), has_sides=False)
    if _are_labels(levels, largest):
        return _label_map(path, levels)
    if _share_of_shades(levels, largest) > _MOST_IN_MIDDLE:
        msg = (
            f"{path} is a picture in many shades of gray, not a mask. Give a mask of "
            f"two values, or a label map of {_told()}."
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


def _are_labels(levels: NDArray[Any], largest: float) -> bool:
    if largest > _MOST_LABELS:
        if largest != IGNORE:
            return False
        known = levels[levels != IGNORE]
        labelled = int(np.count_nonzero(known))
        if min(labelled, known.size - labelled) < _LEAST_LABELLED * levels.size:
            return False
        return bool(known.max() <= _LARGEST and not (known % 1).any())
    return not (levels % 1).any()


def _label_map(path: Path, levels: NDArray[Any]) -> RawMask:
    known = levels[levels != IGNORE]
    if known.max() > _LARGEST or known.min() < BACKGROUND:
        msg = (
            f"{path} is a label map with labels from {int(known.min())} to "
            f"{int(known.max())}; lungcli knows {_told()}. Save a mask of these alone."
        )
        raise ImageError(msg)
    labels = levels.astype(np.uint8)
    there = {label for label in BY_LABEL if (labels == label).any()}
    lungs = there & set(LUNG_LABELS)
    both_alike = len(lungs) == 1 and holds_both_lungs(is_lung(labels))
    if both_alike or there == {min(LUNG_LABELS)}:
        alike = np.where(is_lung(labels), np.uint8(min(LUNG_LABELS)), labels)
        return RawMask(alike, has_sides=False)
    return RawMask(labels, has_sides=True)


def _told() -> str:
    """Say what the numbers of a label map mean."""
    named = ", ".join(f"{label} {each.name}" for label, each in BY_LABEL.items())
    return f"{BACKGROUND} background, {named}"


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
    if is_coloured and int(indices[indices != IGNORE].max(initial=0)) <= _LARGEST:
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
