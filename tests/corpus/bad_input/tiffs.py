"""TIFF: pages, float, tiles, planes, huge tags, directories in a circle."""

import struct
from functools import cache
from io import BytesIO

import numpy as np
import tifffile
from PIL import Image

from bad_input.pngs import stretched
from bad_input.specimen import HEIGHT, WIDTH, Specimen, cut, save, xray

BROKEN = "broken|cut off|not an image"
LOSSY = 2.5
TAGS = {  # of a plain gray image: type SHORT, LONG
    256: (3, WIDTH), 257: (3, HEIGHT), 258: (3, 8), 259: (3, 1), 262: (3, 1),
    273: (4, 8), 277: (3, 1), 278: (3, HEIGHT), 279: (4, WIDTH * HEIGHT),
}  # fmt: skip


@cache
def specimens():
    """Return all TIFF files."""
    return [*valid(), *damaged(), *hostile()]


def valid():
    """Return what must be read."""
    gray = xray()
    image = Image.fromarray(gray)
    pages = [Image.fromarray(255 - gray)] * 3
    same = {
        "plain": save(gray, "TIFF"),
        "pages": save(gray, "TIFF", save_all=True, append_images=pages),
        "lzw": save(gray, "TIFF", compression="tiff_lzw"),
        "deflate": save(gray, "TIFF", compression="tiff_adobe_deflate"),
        "packbits": save(gray, "TIFF", compression="packbits"),
        "cmyk": save(image.convert("RGB").convert("CMYK"), "TIFF"),
        "tiles": _tifffile(gray, tile=(16, 32)),
        "tiles-deflate": _tifffile(gray, tile=(16, 16), compression="zlib"),
        "strips": _tifffile(gray, rowsperstrip=5),
        "big-endian": _tifffile(gray, byteorder=">"),
        "planes": _tifffile(
            np.stack([gray] * 3), photometric="rgb", planarconfig="separate"
        ),
        "handmade": tiff(TAGS),
    }
    deep = {
        "16-bit": _tifffile(gray * np.uint16(257)),
        "16-bit-big-endian": _tifffile(gray * np.uint16(257), byteorder=">"),
        "float": _tifffile(gray.astype(np.float32) / 7 - 3),
        "float-tiles": _tifffile(gray.astype(np.float32) * 1e6, tile=(16, 16)),
        "32-bit": _tifffile(gray.astype(np.int32) * 100_000),
    }
    # Multiplying by a constant moves a rounding here and there.
    return [
        *(_specimen(name, content, gray, 0.0) for name, content in same.items()),
        *(_specimen(n, content, stretched(), 0.1) for n, content in deep.items()),
        _specimen(
            "jpeg", save(gray, "TIFF", compression="jpeg", quality=95), gray, LOSSY
        ),
    ]


def damaged():
    """Return what must be refused, or read right."""
    files = {
        "itself": (_with_next(first=True), ""),
        "circle": (_with_next(first=False), ""),
        "no-size": (tiff({k: v for k, v in TAGS.items() if k > 257}), BROKEN),
        "strips-beyond": (tiff(TAGS | {273: (4, 2**31)}), BROKEN),
        "strips-too-short": (tiff(TAGS | {279: (4, 100)}), ""),
        "depth-of-77": (tiff(TAGS | {258: (3, 77)}), BROKEN),
        "huge-tag": (tiff(TAGS | {270: (2, 8, 2**32 - 1)}), ""),
        "million-strips": (tiff(TAGS | {273: (4, 8, 10**6)}), ""),
        "compression-of-9999": (tiff(TAGS | {259: (3, 9999)}), BROKEN),
        "directory-beyond": (b"II*\0" + struct.pack("<L", 2**31), BROKEN),
        "double": (_tifffile(xray().astype(np.float64)), "of a kind"),
        "64-bit": (_tifffile(xray().astype(np.uint64)), "of a kind"),
        "complex": (_tifffile(xray().astype(np.complex64)), "of a kind"),
    }
    found = [
        Specimen(name=f"tiff-{name}.tif", content=content, says=says)
        for name, (content, says) in files.items()
    ]
    whole = save(xray(), "TIFF")
    packed = save(xray(), "TIFF", compression="tiff_lzw")
    return [
        *found,
        # the directory lies at the end, or what it says of the pixels holds
        *cut("tiff.tif", whole, f"{BROKEN}|empty"),
        *cut("tiff-lzw.tif", packed, f"{BROKEN}|empty"),
    ]


def hostile():
    """Return bombs."""
    huge = TAGS | {256: (4, 60_000), 257: (4, 60_000)}
    large = TAGS | {256: (4, 9_400), 257: (4, 9_400), 278: (4, 9_400)}
    return [
        Specimen(name="tiff-bomb-60000.tif", content=tiff(huge), says="more pixels"),
        Specimen(name="tiff-bomb-9400.tif", content=tiff(large), says=BROKEN),
        Specimen(name="tiff-bomb-pages.tif", content=many_pages()),
    ]


def tiff(tags, following=0):
    """Return a little-endian file: pixels at 8, then one directory.

    Args:
        tags: Number to type and value, or type, value and count.
        following: Where the next directory is said to be.
    """
    pixels = xray().tobytes()
    entries = b""
    for tag, (kind, value, *count) in sorted(tags.items()):
        number = count[0] if count else 1
        entries += struct.pack("<HHLL", tag, kind, number, value)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<L", following)
    return b"II*\0" + struct.pack("<L", 8 + len(pixels)) + pixels + directory


def many_pages(count=60_000):
    """Return a file with so many directories that to count them takes minutes."""
    place = 8 + HEIGHT * WIDTH
    length = 2 + 12 * len(TAGS) + 4
    directory = tiff(TAGS)[place:-4]
    chain = b"".join(
        directory + struct.pack("<L", place + (i + 1) * length if i < count else 0)
        for i in range(count + 1)
    )
    return tiff(TAGS)[:place] + chain


def _with_next(*, first):
    """Return a file whose only directory, or whose second, is followed by the first."""
    place = 8 + HEIGHT * WIDTH
    if first:
        return tiff(TAGS, following=place)
    length = 2 + 12 * len(TAGS) + 4
    whole = tiff(TAGS, following=place + length)
    return whole + tiff(TAGS, following=place)[place:]


def _tifffile(pixels, **options):
    file = BytesIO()
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def _specimen(name, content, pixels, tolerance):
    return Specimen(
        name=f"tiff-{name}.tif", content=content, pixels=pixels, tolerance=tolerance
    )
