"""GIF, BMP and JSRT's raw format, odd and broken."""

import struct
from functools import cache

import numpy as np
from PIL import Image

from bad_input.specimen import HEIGHT, WIDTH, Specimen, cut, save, xray

BROKEN = "broken|cut off|not an image"


@cache
def specimens():
    """Return all files of these formats."""
    return [*gifs(), *bmps(), *raws()]


def gifs():
    """Return GIF files."""
    gray = xray()
    good = save(gray, "GIF")
    pages = [Image.fromarray(255 - gray)]
    moving = save(gray, "GIF", save_all=True, append_images=pages)
    interlaced = save(gray, "GIF", interlace=1)
    frame = good.index(b"\x2c")
    elsewhere = _patched(good, frame + 1, struct.pack("<2H", 60_000, 60_000))
    return [
        Specimen(name="gif.gif", content=good, pixels=gray),
        Specimen(name="gif-moving.gif", content=moving, pixels=gray),
        Specimen(name="gif-interlaced.gif", content=interlaced, pixels=gray),
        Specimen(name="gif-frame-elsewhere.gif", content=elsewhere),
        Specimen(
            name="gif-bomb.gif",
            content=_patched(good, 6, b"\xff\xff\xff\xff"),
            says="more pixels",
        ),
        Specimen(name="gif-bomb-frames.gif", content=many_frames(), pixels=gray),
        Specimen(name="gif-no-frame.gif", content=good[:frame] + b";", says=BROKEN),
        # the last bytes say only that it ends
        *cut("gif.gif", good, ""),
    ]


def bmps():
    """Return BMP files."""
    gray = xray()
    good = save(gray, "BMP")
    colour = save(np.dstack([gray] * 3), "BMP")
    upside_down = _patched(good, 22, struct.pack("<l", -HEIGHT))
    huge = struct.pack("<2l", 60_000, 60_000)
    return [
        Specimen(name="bmp.bmp", content=good, pixels=gray),
        Specimen(name="bmp-rgb.bmp", content=colour, pixels=gray),
        Specimen(name="bmp-top-down.bmp", content=upside_down, pixels=gray[::-1]),
        Specimen(
            name="bmp-bomb.bmp", content=_patched(good, 18, huge), says="more pixels"
        ),
        Specimen(
            name="bmp-taller.bmp",
            content=_patched(good, 22, struct.pack("<l", HEIGHT + 9)),
            says=BROKEN,
        ),
        Specimen(
            name="bmp-negative.bmp",
            content=_patched(good, 18, struct.pack("<l", -WIDTH)),
        ),
        Specimen(name="bmp-rle-garbage.bmp", content=_patched(good, 30, b"\1")),
        Specimen(
            name="bmp-offset.bmp", content=_patched(good, 10, b"\xff\xff\xff\x7f")
        ),
        *cut("bmp.bmp", good, f"{BROKEN}|empty"),
    ]


def raws():
    """Return `.IMG` files, whose length is all that tells."""
    return [
        Specimen(name="raw-short.img", content=bytes(1000), says="has 1,000 bytes"),
        Specimen(name="raw-empty.img", content=b"", says="empty"),
    ]


def many_frames(count=100_000):
    """Return a GIF with so many frames that to count them takes long."""
    gray = xray()
    frames = [Image.fromarray(gray), Image.fromarray(255 - gray).crop((0, 0, 1, 1))]
    moving = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    last = moving[moving.rindex(b"\x21\xf9") : -1]
    small = last[:8] + b"\x2c\0\0\0\0\1\0\1\0\0\x02\x02\x44\x01\0"
    return moving[: -1 - len(last)] + small * count + b";"


def _patched(content, place, data):
    return content[:place] + data + content[place + len(data) :]
