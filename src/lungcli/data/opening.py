"""Open an image file with Pillow: loaded, upright, and with every failure explained."""

import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from lungcli.errors import ImageError

IMAGE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp"}
)
# Never the whole of Pillow's plugins: some of them start other programs.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "TIFF", "BMP")
DICOM_SUFFIXES: Final = (".dcm", ".dicom")
_ORIENTATION: Final = 0x0112  # EXIF tag; 1 is upright
_PHOTOMETRIC: Final = 262  # TIFF tag; 0 is WhiteIsZero
_QUIET = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opened:
    """An image in memory, upright, with its file closed.

    Attributes:
        image: The first page, as Pillow decodes it.
        inverted: Large values are dark, and Pillow has not turned them.
        notes: What a person should know about the decoding.
    """

    image: Image.Image
    inverted: bool
    notes: tuple[str, ...]


def open_upright(path: Path) -> Opened:
    """Open, load and turn upright the first page of an image file.

    Raises:
        ImageError: If the file is missing, empty, no image, broken, or so large
            (about 179 megapixels, Pillow's own limit) that it must be a mistake or
            an attack.
    """
    check_file(path)
    try:
        return _load(path)
    except UnidentifiedImageError as error:
        msg = (
            f"{path} is not an image in PNG, JPEG, GIF, TIFF or BMP, whatever its "
            "name says. Replace or remove the file."
        )
        if is_dicom_file(path):
            msg = f"{path} is DICOM, which only predict reads. Export it as PNG."
        elif path.suffix.lower() in DICOM_SUFFIXES:
            msg = (
                f"{path} is not DICOM, whatever its name says: the letters DICM are "
                "missing at byte 128. Export it again, with its header, or remove it."
            )
        raise ImageError(msg) from error
    except Image.DecompressionBombError as error:
        msg = (
            f"{path} claims more pixels than any X-ray has ({error}). "
            "Remove the file, or save it in its true size."
        )
        raise ImageError(msg) from error
    except Exception as error:  # Pillow's decoders raise a dozen kinds on broken files
        msg = (
            f"{path} is broken: {_first_line(error)}. "
            "Copy or download the file again, or remove it."
        )
        raise ImageError(msg) from error


def check_file(path: Path) -> None:
    """Check that `path` is a file that can be opened and holds at least one byte.

    Raises:
        ImageError: If it is not.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        is_file = stat.S_ISREG(path.stat().st_mode)
        empty = is_file and not _first_byte(path)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its name and permissions."
        raise ImageError(msg) from error
    if not is_file:
        msg = f"{path} is not a file but a folder, a pipe or a device. Remove it."
        raise ImageError(msg)
    if empty:
        msg = f"{path} is empty (0 bytes). Copy or download it again, or remove it."
        raise ImageError(msg)


def is_dicom_file(path: Path) -> bool:
    """Tell from its content whether a file is DICOM.

    Raises:
        ImageError: As `check_file`.

    References:
        DICOM PS3.10 section 7.1: 128 bytes of anything, then `DICM`.
    """
    check_file(path)
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _first_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1)


def _load(path: Path) -> Opened:
    with path.open("rb") as file:
        with without_warnings():
            image = Image.open(file, formats=_FORMATS)
            notes = _page_notes(image)
            inverted = image.mode.startswith("I;16") and _white_is_zero(image)
            # Loading turns a TIFF by itself, and a PNG may tell only afterwards.
            was_turned = image.format != "PNG" and _is_turned(image)
        image.load()
        with without_warnings():
            if was_turned or _is_turned(image):
                notes.append("EXIF rotated")
            upright = ImageOps.exif_transpose(image)
    return Opened(upright, inverted, tuple(notes))


def _is_turned(image: Image.Image) -> bool:
    return bool(image.getexif().get(_ORIENTATION, 1) != 1)


def _page_notes(image: Image.Image) -> list[str]:
    notes = []
    num_pages = getattr(image, "n_frames", 1)
    if num_pages > 1:
        notes.append(f"first page of {num_pages}")
    if image.mode in {"LA", "RGB", "RGBA"} and re.search(
        r";16", str(getattr(image, "tile", ""))
    ):
        notes.append("16-bit colour, upper 8 bits read")  # all that Pillow offers
    return notes


def _white_is_zero(image: Image.Image) -> bool:
    tags = getattr(image, "tag_v2", {})
    return bool(tags.get(_PHOTOMETRIC) == 0)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep the warnings of a library from the user while the block runs.

    One thread at a time: what is long and lets other threads run belongs outside.
    """
    # Filters are global to the process before Python 3.14: the lock keeps two
    # threads from restoring each other's. Decoding itself runs outside of it.
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
