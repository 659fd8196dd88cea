"""JPEG: colour models, orientation, cut short, arithmetic coding, too many scans."""

import struct
from functools import cache

import numpy as np
from PIL import Image

from bad_input.specimen import HEIGHT, WIDTH, Specimen, cut, save, xray

LOSSY = 2.5  # gray levels in the mean, at quality 95
BROKEN = "broken|cut off|not an image"
TURNS = {  # EXIF orientation to how the stored pixels became so from the upright ones
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(np.transpose(a), 2),
    8: lambda a: np.rot90(a, -1),
}


@cache
def specimens():
    """Return all JPEG files."""
    return [*valid(), *damaged(), *hostile()]


def valid():
    """Return what must be read."""
    gray = xray()
    image = Image.fromarray(gray)
    files = {
        "gray": save(gray, "JPEG", quality=95),
        "rgb": save(np.dstack([gray] * 3), "JPEG", quality=95, subsampling=0),
        "cmyk": save(image.convert("RGB").convert("CMYK"), "JPEG", quality=95),
        "progressive": save(gray, "JPEG", quality=95, progressive=True),
        "restarts": save(gray, "JPEG", quality=95, restart_marker_rows=1),
    }
    for tag, turn in TURNS.items():
        exif = Image.Exif()
        exif[0x0112] = tag
        stored = np.ascontiguousarray(turn(gray))
        files[f"turned-{tag}"] = save(stored, "JPEG", quality=95, exif=exif)
    return [
        Specimen(name=f"jpeg-{name}.jpg", content=content, pixels=gray, tolerance=LOSSY)
        for name, content in files.items()
    ]


def damaged():
    """Return what must be refused, or read right."""
    gray = xray()
    good = save(gray, "JPEG", quality=95)
    frame = good.index(b"\xff\xc0")
    files = {
        "12-bit": (_patched(good, frame + 4, b"\x0c"), BROKEN),
        "arithmetic": (_patched(good, frame + 1, b"\xc9"), ""),
        "lossless": (_patched(good, frame + 1, b"\xc3"), BROKEN),
        "taller": (_patched(good, frame + 5, struct.pack(">H", HEIGHT + 90)), ""),
        "wider": (_patched(good, frame + 7, struct.pack(">H", WIDTH + 90)), ""),
        "no-height": (_patched(good, frame + 5, b"\0\0"), BROKEN),
        "no-tables": (good.replace(b"\xff\xc4", b"\xff\xee"), ""),
        "exif-of-garbage": (
            save(gray, "JPEG", exif=b"Exif\0\0II*\0" + b"\xff" * 40),
            "",
        ),
        "start-only": (b"\xff\xd8", BROKEN),
        "start-and-end": (b"\xff\xd8\xff\xd9", BROKEN),
    }
    found = [
        Specimen(name=f"jpeg-{name}.jpg", content=content, says=says)
        for name, (content, says) in files.items()
    ]
    return [*found, *cut("jpeg.jpg", good, f"{BROKEN}|empty")]


def hostile():
    """Return bombs."""
    good = save(xray(), "JPEG")
    frame = good.index(b"\xff\xc0")
    huge = _patched(good, frame + 5, b"\xff\xdc\xff\xdc")
    return [
        Specimen(name="jpeg-bomb-65500.jpg", content=huge, says="more pixels"),
        Specimen(name="jpeg-bomb-scans.jpg", content=many_scans(), says="scans"),
    ]


@cache
def many_scans(side=4000, count=5000):
    """Return a progressive JPEG whose last scan comes thousands of times."""
    content = save(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + b"\xff\xd9"


def _patched(content, place, data):
    return content[:place] + data + content[place + len(data) :]
