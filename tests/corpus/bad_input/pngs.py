"""PNG: bad checksums, wrong sizes, cut short, bombs, and all that is legal but rare."""

import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image

from bad_input.specimen import HEIGHT, WIDTH, Specimen, cut, save, xray

START = b"\x89PNG\r\n\x1a\n"
GRAY, COLOUR, PALETTE, GRAY_ALPHA = 0, 2, 3, 4
BROKEN = "broken|cut off|not an image"
PASSES = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
    (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip


@cache
def specimens():
    """Return all PNG files."""
    return [*valid(), *damaged(), *hostile()]


def chunk(kind, data, crc=None):
    """Return one chunk; `crc` replaces the right checksum."""
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", crc)


def header(width=WIDTH, height=HEIGHT, depth=8, colour=GRAY, interlaced=0):
    """Return the header chunk."""
    fields = (width, height, depth, colour, 0, 0, interlaced)
    return chunk(b"IHDR", struct.pack(">2L5B", *fields))


def png(*chunks, head=None):
    """Return a file of a header, some chunks and an end."""
    return b"".join([START, head or header(), *chunks, chunk(b"IEND", b"")])


def packed(levels, depth=8):
    """Return unfiltered rows of `depth` bits a level, compressed."""
    bits = np.unpackbits(levels.astype(">u2").view(np.uint8), axis=1)
    bits = bits.reshape(levels.shape[0], -1, 16)[:, :, 16 - depth :]
    rows = np.packbits(bits.reshape(levels.shape[0], -1), axis=1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return chunk(b"IDAT", zlib.compress(lines))


def interlaced(levels):
    """Return the seven passes of Adam7, compressed."""
    lines = b""
    for left, top, step_x, step_y in PASSES:
        for row in levels[top::step_y, left::step_x]:
            lines += b"\0" + row.tobytes()
    return chunk(b"IDAT", zlib.compress(lines))


def valid():
    """Return what must be read to the last pixel."""
    gray = xray()
    files = {
        "interlaced": (png(interlaced(gray), head=header(interlaced=1)), gray),
        "rgb": (save(np.dstack([gray] * 3), "PNG"), gray),
        "opaque": (save(Image.fromarray(gray).convert("LA"), "PNG"), gray),
        "palette": (save(Image.fromarray(gray).convert("P"), "PNG"), gray),
        "many-idat": (png(*_in_pieces(packed(gray))), gray),
        "apng": (_animated(gray), gray),
        "text": (
            png(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x")), packed(gray)),
            gray,
        ),
    }
    for depth in (1, 2, 4):
        levels = gray >> (8 - depth)
        head = header(depth=depth)
        full = (levels.astype(np.uint16) * 255 // (2**depth - 1)).astype(np.uint8)
        files[f"{depth}-bit"] = png(packed(levels, depth), head=head), full
    read = [
        Specimen(name=f"png-{name}.png", content=content, pixels=pixels)
        for name, (content, pixels) in files.items()
    ]
    deep = png(packed(gray * np.uint16(257), 16), head=header(depth=16))
    return [*read, Specimen(name="png-16-bit.png", content=deep, pixels=stretched())]


def stretched():
    """Return the X-ray as more than 8 bits are shown: stretched by percentiles."""
    gray = xray().astype(float)
    inner = gray[(gray > gray.min()) & (gray < gray.max())]
    low, high = np.percentile(inner, (0.1, 99.9))
    return np.rint(np.clip((gray - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def damaged():
    """Return what must be refused, or read right."""
    gray = xray()
    rows = packed(gray)
    wrong = png(chunk(b"IDAT", rows[8:-4], crc=1))
    good = png(rows)
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0xFF
    bad_head = START + header()[:-4] + b"\0\0\0\0" + rows
    taller, wider = header(height=HEIGHT + 8), header(width=WIDTH + 8)
    files = {
        "crc-of-header": (bad_head, BROKEN),
        "crc-of-pixels": (wrong, ""),
        "flipped-bit": (bytes(flipped), BROKEN),
        "taller": (png(rows, head=taller), "cut off"),
        "wider": (png(rows, head=wider), BROKEN),
        "taller-interlaced": (
            png(interlaced(gray), head=header(height=HEIGHT + 1, interlaced=1)),
            "cut off|broken",
        ),
        "no-pixels": (png(), BROKEN),
        "no-header": (START + rows, BROKEN),
        "no-width": (png(rows, head=header(width=0)), BROKEN),
        "depth-of-3": (png(rows, head=header(depth=3)), BROKEN),
        "small": (save(gray[:20], "PNG"), "too small"),
        "length-of-chunk": (START + b"\xff\xff\xff\xff" + header()[4:], BROKEN),
        "text-named": (b"no image at all, whatever its name", "not an image"),
        "html-named": (b"<!DOCTYPE html><title>404</title>", "not an image"),
    }
    found = [
        Specimen(name=f"png-{name}.png", content=content, says=says)
        for name, (content, says) in files.items()
    ]
    return [*found, *cut("png.png", good, f"{BROKEN}|empty")]


def hostile():
    """Return bombs."""
    most = "more pixels than any X-ray has"
    zeros = zlib.compressobj(9)
    bomb = zeros.compress(bytes(2**24)) + zeros.flush()
    text = zlib.compress(bytes(2**27))
    files = {
        "60000": (png(packed(xray()), head=header(60_000, 60_000)), most),
        "largest": (png(head=header(2**31 - 1, 2**31 - 1)), most),
        "one-row": (png(head=header(2**31 - 1, 32)), most),
        "11000": (_blank(11_000), most),
        "tiny-but-large": (png(packed(xray()), head=header(9_000, 9_000)), "cut off"),
        "more-than-claimed": (png(chunk(b"IDAT", bomb)), ""),
        "text-bomb": (png(chunk(b"zTXt", b"a\0\0" + text), packed(xray())), ""),
        "profile-bomb": (png(chunk(b"iCCP", b"a\0\0" + text), packed(xray())), ""),
        "frames": (
            png(chunk(b"acTL", struct.pack(">2L", 2**31 - 1, 0)), packed(xray())),
            "",
        ),
    }
    return [
        Specimen(name=f"png-bomb-{name}.png", content=content, says=says)
        for name, (content, says) in files.items()
    ]


def _blank(side):
    """Return a black square of `side` pixels: small as a file, large as an image."""
    packer = zlib.compressobj(1)
    row = bytes(side + 1)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png(chunk(b"IDAT", data), head=header(side, side))


def _in_pieces(data):
    body = data[8:-4]
    return [chunk(b"IDAT", body[i : i + 100]) for i in range(0, len(body), 100)]


def _animated(gray):
    later = [Image.fromarray(255 - gray)]
    return save(gray, "PNG", save_all=True, append_images=later)
