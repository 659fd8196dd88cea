"""Read a mask file of any usual encoding to 0/1, or to a label map."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import BACKGROUND, BY_LABEL, IGNORE
from lungcli.data.mask_areas import ground_of
from lungcli.data.mask_formats import READERS, read_format
from lungcli.data.mask_meaning import (
    Drawn,
    MeaningError,
    RawMask,
    meaning_of,
)
from lungcli.data.opening import IMAGE_SUFFIXES, open_upright
from lungcli.errors import ImageError

MASK_SUFFIXES: Final = (*READERS, *sorted(IMAGE_SUFFIXES))
_LARGEST: Final = max(BY_LABEL)
_LOSSY: Final = frozenset({"JPEG", "MPO"})


def read_mask(path: Path, said: Mapping[float, str] | None = None) -> RawMask:
    """Read a mask, whatever the encoding; by its suffix, if it is no picture.

    What its values mean is told by `meaning_of`. Palettes in colours over the numbers
    0 to 3 are label maps; a picture whose alpha varies is drawn in what is not
    transparent.

    Args:
        path: The file.
        said: What the user says that values mean; as there.

    Raises:
        ImageError: If the file is missing, empty, broken, no image, or nobody can tell
            what its values mean.
    """
    drawn = _read(path)
    try:
        return meaning_of(drawn, said)
    except MeaningError as error:
        remedy = f". {error.remedy}" if error.remedy else _known()
        msg = f"{path} {error}{remedy}."
        raise ImageError(msg) from error


def _read(path: Path) -> Drawn:
    codes = read_format(path)
    if codes is not None:
        return Drawn(
            np.nan_to_num(codes, nan=0.0) if codes.dtype.kind == "f" else codes
        )
    opened = open_upright(path)
    if opened.kind in _LOSSY:  # colours are noise there, too
        return Drawn(_levels(opened.image), is_lossy=True)
    return _drawn(opened.image)


def _known() -> str:
    """Say what the numbers of a label map mean."""
    named = ", ".join(f"{label} {each.name}" for label, each in BY_LABEL.items())
    return (
        f"; lungcli knows {BACKGROUND} background, {named}. Give such a label map, or "
        "a mask of two values"
    )


def _levels(image: Image.Image) -> NDArray[Any]:
    return np.array(image) if image.mode == "L" else _brightest(image.convert("RGB"))


def _drawn(image: Image.Image) -> Drawn:
    if image.mode == "1":
        return Drawn(np.array(image, dtype=np.uint8))
    if image.mode == "P" and _is_label_map(image):
        return Drawn(np.array(image))
    if image.has_transparency_data:
        return _from_transparent(image.convert("RGBA"))
    if image.mode in {"P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"}:
        return _from_colours(image.convert("RGB"))
    codes = np.array(image)
    return Drawn(np.nan_to_num(codes, nan=0.0) if codes.dtype.kind == "f" else codes)


def _is_label_map(image: Image.Image) -> bool:
    """Tell a palette that colours labels from one that spells out gray or colours.

    Annotation tools save label maps as a coloured palette over 0, 1 and 2.
    """
    indices = np.array(image)
    colours = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 3), np.uint8)  # a short one leaves the rest black
    palette[: len(colours)] = colours
    used = palette[np.bincount(indices.ravel(), minlength=256) > 0]
    is_coloured = bool((used != used[:, :1]).any())
    return is_coloured and int(indices[indices != IGNORE].max(initial=0)) <= _LARGEST


def _from_transparent(image: Image.Image) -> Drawn:
    """Read what is drawn over nothing, at any opacity."""
    alpha = np.array(image.getchannel("A"))
    colours = _from_colours(image.convert("RGB"))
    if alpha.min() == alpha.max():
        return colours
    shown = 2 * alpha.astype(np.int32) >= alpha.max()
    if np.ptp(colours.codes[shown]) == 0:  # all in one colour, maybe black
        return Drawn(np.where(shown, np.uint8(255), np.uint8(0)))
    visible = np.where(shown, colours.codes, 0)
    ground = ground_of(visible)  # black where most of the border shows nothing
    codes = np.where(shown, visible, visible.dtype.type(ground))
    return Drawn(codes, colours.has_colours)


def _from_colours(image: Image.Image) -> Drawn:
    red, green, blue = (np.asarray(image.getchannel(name)) for name in "RGB")
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return Drawn(red)
    codes = red.astype(np.int32)
    for channel in (green, blue):
        codes <<= 8
        codes |= channel
    return Drawn(codes, has_colours=True)


def _brightest(image: Image.Image) -> NDArray[np.uint8]:
    # One channel after the other: all at once would need as much memory again.
    brightest = np.array(image.getchannel("R"))
    for name in "GB":
        np.maximum(brightest, np.asarray(image.getchannel(name)), out=brightest)
    return brightest
