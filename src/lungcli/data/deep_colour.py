"""Colours of 16 bits, of which Pillow keeps the upper 8, or makes noise.

Data of 10 or 12 bits in such a file would be left with 4 to 16 gray levels.
"""

from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.errors import ImageError

_BITS: Final = 258  # TIFF tag BitsPerSample
_APART: Final = 2  # of PlanarConfiguration
_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R 601
_MOST: Final = 65535
# How Pillow is told to take the lower half of each word of PNG, which comes last.
_LOWER: Final = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
_GRAY_AND_ALPHA: Final = "LA;16B"


def is_deep_colour(image: Image.Image) -> bool:
    """Tell an image in colours that Pillow does not read in full.

    Args:
        image: Opened, not loaded.
    """
    if image.format == "PNG":
        return _layout(image) in {*_LOWER, _GRAY_AND_ALPHA}
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None or len(image.getbands()) == 1:
        return False
    return bool(max(tags.get(_BITS, (8,))) > 8)


def read_deep_colour(path: Path, file: BinaryIO, kind: str) -> Image.Image:
    """Return the first page of such a file as gray of 16 bits.

    What is transparent becomes black, unless everything is.

    Args:
        path: Named in errors.
        file: Anywhere in it.
        kind: Its format, as Pillow names it.

    Raises:
        ImageError: If it is packed in a way that is not read.
    """
    try:
        channels = _of_png(file) if kind == "PNG" else _of_tiff(path)
    except Exception as error:  # a dozen kinds on broken files, and codecs it lacks
        msg = (
            f"{path} has colours of 16 bits that cannot be unpacked "
            f"({type(error).__name__}). Save it as gray of 16 bits."
        )
        raise ImageError(msg) from error
    return Image.fromarray(_gray(channels))


def _layout(image: Image.Image) -> str:
    tiles: Any = getattr(image, "tile", ())
    return str(tiles[0].args) if tiles else ""


def _of_png(file: BinaryIO) -> NDArray[np.uint16]:
    """Return all channels: the upper and the lower halves, read one after the other."""
    image = _opened(file)
    layout = _layout(image)
    if layout == _GRAY_AND_ALPHA:  # both as one word of 32 bits
        image._mode = "I"
        pairs = _read(image, "I;32B").astype(np.uint32)
        return np.stack([pairs >> 16, pairs & _MOST], axis=-1).astype(np.uint16)
    upper = _read(image, layout).astype(np.uint16)
    words: NDArray[np.uint16] = upper << 8 | _read(_opened(file), _LOWER[layout])
    return words


def _opened(file: BinaryIO) -> Any:
    file.seek(0)
    return Image.open(file, formats=("PNG",))


def _read(image: Any, layout: str) -> NDArray[Any]:
    image.tile = [image.tile[0]._replace(args=layout)]
    return np.asarray(image)


def _of_tiff(path: Path) -> NDArray[Any]:
    import tifffile  # noqa: PLC0415 - a tenth of a second, and few files are such

    with tifffile.TiffFile(path) as file:
        page: Any = file.pages[0]
        values: NDArray[Any] = page.asarray()
        return np.moveaxis(values, 0, -1) if page.planarconfig == _APART else values


def _gray(channels: NDArray[Any]) -> NDArray[np.uint16]:
    has_colours = channels.shape[-1] >= len(_LUMA)
    light = channels[..., : len(_LUMA) if has_colours else 1].astype(np.float64)
    gray: NDArray[np.float64] = light @ np.array(_LUMA if has_colours else (1.0,))
    if channels.shape[-1] in {2, 4}:
        alpha = channels[..., -1]
        if alpha.any() and alpha.min() < _MOST:
            gray *= alpha / _MOST
    words: NDArray[np.uint16] = np.rint(gray).astype(np.uint16)
    return words
