"""Open an image file with Pillow: loaded, upright, and with every failure explained."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from lungcli.data.deep_colour import is_deep_colour, read_deep_colour
from lungcli.data.png_rows import PngHeader, can_hold, holds_all_rows, read_header
from lungcli.errors import ImageError
from lungcli.system.quiet import without_warnings

IMAGE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp"}
)
# Never the whole of Pillow's plugins: some of them start other programs.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "TIFF", "BMP")
_STARTS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom"})
DICOM_START: Final = 132  # bytes that tell DICOM: a preamble of 128, then the mark
# Above, Pillow warns of a bomb. The largest films and stitched spines have 40 million
# pixels; in colours, this many take 1.2 GB while they become gray.
MAX_PIXELS: Final = 89_478_485
# Progressive JPEG has ten or so. Each is a pass over the whole image, for no more than
# ten bytes of the file: thousands of them would keep a processor busy for hours.
_MAX_SCANS: Final = 100
_SCAN: Final = b"\xff\xda"  # never within a scan: there, 0 follows each 255
_CHUNK: Final = 2**20
_ORIENTATION: Final = 0x0112  # EXIF tag; 1 is upright, above 8 and 0 mean nothing
_TURNED: Final = range(2, 9)
_PHOTOMETRIC: Final = 262  # TIFF tag; 0 is WhiteIsZero


@dataclass(frozen=True, slots=True)
class Opened:
    """An image in memory, upright, with its file closed.

    Attributes:
        image: The first page, as Pillow decodes it.
        inverted: Large values are dark, and Pillow has not turned them.
        notes: What a person should know about the decoding.
        kind: Format as Pillow names it, e.g. `JPEG`.
    """

    image: Image.Image
    inverted: bool
    notes: tuple[str, ...]
    kind: str


def open_upright(path: Path) -> Opened:
    """Open, load and turn upright the first page of an image file.

    Raises:
        ImageError: If the file is missing, empty, no image, broken, or has so many
            pixels (more than `MAX_PIXELS`) or so many scans (JPEG) that it must be a
            mistake or an attack; nothing is decoded then.
    """
    with open_file(path) as file:
        return load_upright(path, file)


def load_upright(path: Path, file: BinaryIO) -> Opened:
    """Do as `open_upright` with a file that is open.

    Args:
        path: Named in errors.
        file: At its start.

    Raises:
        ImageError: As there.
    """
    try:
        return _load(path, file)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(_not_an_image(path, file)) from error
    except Image.DecompressionBombError as error:
        raise too_large(path) from error
    except MemoryError as error:
        msg = f"{path} is too large for the memory. Make it smaller, or remove it."
        raise ImageError(msg) from error
    except Exception as error:  # Pillow's decoders raise a dozen kinds on broken files
        msg = (
            f"{path} is broken: {_first_line(error)}. "
            "Copy or download the file again, or remove it."
        )
        raise ImageError(msg) from error


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that holds at least one byte.

    Raises:
        ImageError: If it is none, or cannot be opened.
    """
    with _explained(path):
        # Opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path} is not a file but a folder, a pipe or a device. Remove it."
            raise ImageError(msg)
        file = path.open("rb")
    with file:
        with _explained(path):
            is_empty = not file.peek(1)
        if is_empty:
            msg = f"{path} is empty (0 bytes). Copy or download it again, or remove it."
            raise ImageError(msg)
        yield file


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its name and permissions."
        raise ImageError(msg) from error


def too_large(path: Path, size: tuple[int, int] | None = None) -> ImageError:
    """Return the error for an image of more than `MAX_PIXELS`.

    Args:
        path: Named in it.
        size: Width and height, if they are known.
    """
    told = f" ({size[0]}×{size[1]})" if size else ""
    return ImageError(
        f"{path} claims more pixels than any X-ray has{told}; at most "
        f"{MAX_PIXELS:,} are read. Save it in its true size, or remove it."
    )


def check_scans(path: Path, jpeg: BinaryIO) -> None:
    """Check that a JPEG stream has no more scans than any encoder writes.

    Args:
        path: Named in errors.
        jpeg: The stream, from where it stands.

    Raises:
        ImageError: If it has more.

    References:
        ITU-T T.81 B.2.3 (scan header) and B.1.1.5 (what a scan may hold)
    """
    count, end = 0, b""
    while count <= _MAX_SCANS:
        chunk = jpeg.read(_CHUNK)
        if not chunk:
            return
        count += (end + chunk).count(_SCAN)
        end = chunk[-1:]
    msg = (
        f"{path} has more than {_MAX_SCANS} scans, which only an attack has. "
        "Save the image again, or remove it."
    )
    raise ImageError(msg)


def is_dicom(start: bytes) -> bool:
    """Tell DICOM by the first `DICOM_START` bytes of a file.

    References:
        DICOM PS3.10 section 7.1: 128 bytes of anything, then `DICM`.
    """
    return start[128:DICOM_START] == b"DICM"


def is_picture(start: bytes) -> bool:
    """Tell a picture of a format that is read by its first bytes."""
    return start.startswith(_STARTS)


def _not_an_image(path: Path, file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(DICOM_START)
    if is_dicom(start):
        return (
            f"{path} is DICOM under the name of a picture. Call it .dcm, or save "
            "it as PNG."
        )
    if start.startswith(_STARTS):
        return (
            f"{path} is broken, or of a kind that is not read. Save it again as PNG "
            "of 8 or 16 bits, or remove it."
        )
    if path.suffix.lower() in DICOM_SUFFIXES:
        return (
            f"{path} is not DICOM, whatever its name says: the letters DICM are "
            "missing at byte 128. Export it again, with its header, or remove it."
        )
    return (
        f"{path} is not an image in PNG, JPEG, GIF, TIFF or BMP, whatever its name "
        "says. Replace or remove the file."
    )


def _load(path: Path, file: BinaryIO) -> Opened:
    with without_warnings():
        image: Image.Image = Image.open(file, formats=_FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise too_large(path, image.size)
        notes = _page_notes(image)
        # Pillow itself turns 8 bits and less.
        white_is_zero = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
        inverted = image.mode[:1] in {"I", "F"} and white_is_zero
        # Loading turns a TIFF by itself, and a PNG may tell only afterwards.
        was_turned = image.format != "PNG" and _is_turned(image)
    kind = image.format or ""
    is_deep = is_deep_colour(image)
    if kind != "TIFF" or not is_deep:  # checks that all of it is there, too
        _load_pixels(path, file, image)
    if is_deep:
        image = read_deep_colour(path, file, kind)
        notes.append("16-bit colour")
    with without_warnings():
        if was_turned or _is_turned(image):
            notes.append("EXIF rotated")
        upright = ImageOps.exif_transpose(image)
    return Opened(upright, inverted, tuple(notes), kind)


def _load_pixels(path: Path, file: BinaryIO, image: Image.Image) -> None:
    header = None
    if image.format in {"PNG", "JPEG", "MPO"}:
        place = file.tell()  # where Pillow goes on
        file.seek(0)
        header = _look_ahead(path, file, is_png=image.format == "PNG")
        file.seek(place)
    image.load()
    if header is None:
        return
    # Where data end too early Pillow leaves black, and says nothing.
    lowest = image.crop((0, image.height - 1, image.width, image.height))
    doubtful = header.is_interlaced or not any(lowest.tobytes())
    if doubtful and not holds_all_rows(file, header):
        raise _cut_off(path)


def _look_ahead(path: Path, file: BinaryIO, *, is_png: bool) -> PngHeader | None:
    """Refuse what would keep a processor busy; return the header of a PNG."""
    if not is_png:
        check_scans(path, file)
        return None
    header = read_header(file)
    if header and not can_hold(os.fstat(file.fileno()).st_size, header):
        raise _cut_off(path)
    return header


def _cut_off(path: Path) -> ImageError:
    return ImageError(
        f"{path} is cut off, or its header is wrong: it has fewer pixels than it "
        "claims. Copy or download the file again, or remove it."
    )


def _is_turned(image: Image.Image) -> bool:
    return image.getexif().get(_ORIENTATION) in _TURNED


def _page_notes(image: Image.Image) -> list[str]:
    notes = []
    # Not how many: a file may hold a million, and Pillow would visit each.
    if getattr(image, "is_animated", False):
        notes.append("first page of several")
    return notes


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
