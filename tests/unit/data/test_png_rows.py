import struct
import zlib
from io import BytesIO

import pytest

from lungcli.data.png_rows import PngHeader, can_hold, holds_all_rows, read_header

START = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data):
    return struct.pack(">L", len(data)) + kind + data + bytes(4)


def png(width, height, depth, colour, interlaced=0, *, pixels=()):
    head = struct.pack(">2L5B", width, height, depth, colour, 0, 0, interlaced)
    return START + chunk(b"IHDR", head) + b"".join(chunk(b"IDAT", p) for p in pixels)


@pytest.mark.parametrize(
    ("arguments", "num_bytes"),
    [
        pytest.param((10, 4, 8, 0), 4 * 11, id="gray"),
        pytest.param((10, 4, 16, 0), 4 * 21, id="16 bits"),
        pytest.param((10, 4, 1, 0), 4 * 3, id="1 bit, rows of whole bytes"),
        pytest.param((10, 4, 8, 2), 4 * 31, id="colour"),
        pytest.param((10, 4, 8, 6), 4 * 41, id="colour and alpha"),
        pytest.param((10, 4, 8, 4), 4 * 21, id="gray and alpha"),
        pytest.param((10, 4, 4, 3), 4 * 6, id="palette"),
        # 8×8 in seven passes: 1, 1, 2, 4, 8, 16 and 32 pixels in 15 rows
        pytest.param((8, 8, 8, 0, 1), 64 + 15, id="interlaced"),
        pytest.param((1, 1, 8, 0, 1), 2, id="one pixel, one pass"),
    ],
)
def test_bytes_by_hand(arguments, num_bytes):
    header = read_header(BytesIO(png(*arguments)))
    assert header == PngHeader(num_bytes, is_interlaced=len(arguments) == 5)


@pytest.mark.parametrize("content", [b"", START, b"GIF89a" + bytes(99), START * 9])
def test_no_header(content):
    assert read_header(BytesIO(content)) is None


def test_deflate_cannot_do_better():
    packer = zlib.compressobj(9)
    best = len(packer.compress(bytes(10_000_000)) + packer.flush())
    assert can_hold(best, PngHeader(10_000_000, is_interlaced=False))
    assert not can_hold(best * 9 // 10, PngHeader(10_000_000, is_interlaced=False))


@pytest.mark.parametrize("num_rows", [0, 7, 8, 9])
@pytest.mark.parametrize("step", [7, 100])
def test_rows_are_counted(num_rows, step):
    packed = zlib.compress(bytes(range(11)) * num_rows)
    pieces = [packed[i : i + step] for i in range(0, len(packed), step)]
    file = BytesIO(png(10, 8, 8, 0, pixels=pieces))
    header = read_header(file)
    assert header is not None
    assert holds_all_rows(file, header) == (num_rows >= 8)


@pytest.mark.parametrize(
    "pixels", [[], [b"\xa5" * 20], [zlib.compress(bytes(99))[:-9]]], ids=repr
)
def test_broken_pixels_hold_nothing(pixels):
    file = BytesIO(png(10, 80, 8, 0, pixels=pixels))
    header = read_header(file)
    assert header is not None
    assert not holds_all_rows(file, header)
