"""Colours of 16 bits in TIFF, of which Pillow keeps the upper 8, or makes noise.

Data of 10 or 12 bits in such a file would be left with 4 to 16 gray levels.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.errors import ImageError

_BITS, _PLANES = 258, 284  # TIFF tags: BitsPerSample, PlanarConfiguration
_APART: Final = 2
_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R 601


def is_deep_colour(image: Image.Image) -> bool:
    """Tell a TIFF in colours that Pillow does not read in full.

    Args:
        image: Opened, not loaded.
    """
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None or len(image.getbands()) == 1:
        return False
    return bool(max(tags.get(_BITS, (8,))) > 8)


def read_deep_colour(path: Path) -> Image.Image:
    """Return the first page of such a file as gray of 16 bits.

    Raises:
        ImageError: If it is packed in a way that is not read.
    """
    import tifffile  # noqa: PLC0415 - a tenth of a second, and few files are such

    try:
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            values, apart = page.asarray(), page.planarconfig == _APART
    except Exception as error:  # a dozen kinds on broken files, and codecs it lacks
        msg = (
            f"{path} has colours of 16 bits that cannot be unpacked "
            f"({type(error).__name__}). Save it as gray of 16 bits."
        )
        raise ImageError(msg) from error
    channels = np.moveaxis(values, 0, -1) if apart else values
    return Image.fromarray(_luma(channels))


def _luma(channels: NDArray[Any]) -> NDArray[np.uint16]:
    if channels.shape[-1] < len(_LUMA):  # gray, and how opaque it is
        gray: NDArray[np.uint16] = np.ascontiguousarray(channels[..., 0])
        return gray
    light: NDArray[np.float64] = channels[..., :3].astype(np.float64) @ np.array(_LUMA)
    words: NDArray[np.uint16] = np.rint(light).astype(np.uint16)
    return words
