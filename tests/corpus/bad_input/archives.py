"""Zip archives: names that climb, bombs, lies, encryption, archives in archives."""

import bz2
import struct
import zipfile
from functools import cache
from io import BytesIO

from bad_input.specimen import save, xray


@cache
def specimens():
    """Return names to contents, and what the failure says; empty if none."""
    picture = save(xray(), "PNG")
    good = make({"ward/a.png": picture, "b.png": picture})
    link = zipfile.ZipInfo("a.png")
    link.external_attr = 0o120777 << 16
    return {
        "good": (good, ""),
        "climbs": (make({"../../a.png": picture}), "leads out"),
        "absolute": (make({"/a.png": picture}), "leads out"),
        "drive": (make({"C:/a.png": picture}), "leads out"),
        "backslash": (make({"..\\a.png": picture}), "backslash|leads out"),
        "link": (make({link: b"/etc/passwd"}), "link"),
        "encrypted": (encrypted(picture), "encrypted"),
        "twice": (make_twice(picture), "times in the archive"),
        "nested": (make({"inner.zip": good, "a.png": picture}), ""),
        "only-nested": (make({"inner.zip": good}), ""),
        "bomb": (make({"a.png": bytes(2**27)}), "unpacks to more"),
        "bomb-bzip2": (lying_bzip2("a.png"), "other than deflate"),
        "bomb-bzip2-unnamed": (lying_bzip2("IM1"), "other than deflate"),
        "bomb-image": (make({"a.png": _bomb()}), "more pixels"),
        "many": (make({f"{i}.txt": b"" for i in range(20_000)}), ""),
        "cut": (good[: len(good) // 2], "cannot be read as a zip"),
        "text": (b"no archive", "cannot be read as a zip"),
        "empty": (b"", "cannot be read as a zip"),
        "end-only": (make({}), ""),
        "flipped": (_flipped(good), "cannot be unpacked|broken"),
    }


def make(members, method=zipfile.ZIP_DEFLATED):
    """Return an archive of names, or `ZipInfo`, to contents."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def make_twice(picture):
    """Return an archive with two members of one name."""
    content = make({"a.png": picture, "b.png": picture})
    return content.replace(b"b.png", b"a.png")


def encrypted(picture):
    """Return an archive whose member says that it is encrypted."""
    content = bytearray(make({"a.png": picture}))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def lying_bzip2(name):
    """Return an archive of a kilobyte whose member unpacks to far more than it says."""
    packed = _packed_zeros()
    content = bytearray(make({name: packed}, zipfile.ZIP_STORED))
    for start, method, size in ((0, 8, 22), (content.index(b"PK\1\2"), 10, 24)):
        struct.pack_into("<H", content, start + method, zipfile.ZIP_BZIP2)
        struct.pack_into("<L", content, start + size, 1000)
    return bytes(content)


@cache
def _packed_zeros(megabytes=64):
    packer, zeros = bz2.BZ2Compressor(), bytes(2**20)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def _flipped(content):
    place = content.index(b"IHDR") if b"IHDR" in content else 200
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _bomb():
    from bad_input.pngs import hostile

    return hostile()[0].content
