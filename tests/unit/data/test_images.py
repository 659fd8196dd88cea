import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lungcli.data import opening
from lungcli.data.images import (
    TooSmallError,
    to_8bit,
)
from lungcli.data.read_xray import read_xray
from lungcli.errors import ImageError

RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_8bit_gray_is_unchanged(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}", Image.fromarray(RAMP))
    decoded = read_xray(path)
    np.testing.assert_array_equal(decoded.pixels, RAMP)
    assert (decoded.low, decoded.high) == (0.0, 255.0)


def test_gray_stored_as_colour_is_unchanged(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(RAMP).convert("RGB"))
    assert read_xray(path).notes == ()
    np.testing.assert_array_equal(read_xray(path).pixels, RAMP)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_white_is_zero_at_any_depth(tmp_path: Path, kind: type) -> None:
    values = (RAMP.astype(np.float64) * 17).astype(kind)
    plain, turned = (
        read_xray(save(tmp_path / f"{tag}.tif", Image.fromarray(values), tiffinfo=tags))
        for tag, tags in (("plain", {}), ("white", {262: 0}))
    )
    np.testing.assert_array_equal(turned.pixels, 255 - plain.pixels)
    assert "inverted (WhiteIsZero)" in turned.notes


@pytest.mark.parametrize(
    ("orientation", "noted"), [(0, False), (1, False), (9, False), (6, True)]
)
def test_orientations_that_mean_nothing(
    tmp_path: Path, orientation: int, noted: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.jpg", Image.fromarray(RAMP), exif=exif)
    assert ("EXIF rotated" in read_xray(path).notes) == noted


@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colours_of_16_bits_keep_their_depth(
    tmp_path: Path, planes: str, packed: str | None
) -> None:
    """Of 12 bits in 16 Pillow would keep 16 levels; planes apart it makes noise."""
    gray = (RAMP.astype(np.uint16) * 16) + np.arange(48, dtype=np.uint16)[:, None] % 16
    colours = np.stack([gray] * 3, axis=0 if planes == "separate" else -1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, colours, photometric="rgb", planarconfig=planes, compression=packed
    )
    xray = read_xray(path)
    alone = read_xray(save(tmp_path / "gray.tif", Image.fromarray(gray)))
    np.testing.assert_array_equal(xray.pixels, alone.pixels)
    assert "16-bit colour" in xray.notes


def png_of_16_bits(path: Path, channels: np.ndarray) -> Path:
    """Write a PNG, each row filtered in another way: none, left, above."""
    height, width, number = channels.shape
    rows = channels.astype(">u2").reshape(height, -1).view(np.uint8).astype(int)
    lines = b""
    for y in range(height):
        left = np.concatenate([np.zeros(2 * number, int), rows[y, : -2 * number]])
        above = rows[y - 1] if y else np.zeros(rows.shape[1], int)
        taken = (0 * left, left, above)[y % 3]
        lines += bytes([y % 3]) + ((rows[y] - taken) % 256).astype(np.uint8).tobytes()
    size = struct.pack(">II", width, height)
    head = size + bytes([16, {2: 4, 3: 2, 4: 6}[number], 0, 0, 0])
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data))
            + name
            + data
            + struct.pack(">I", zlib.crc32(name + data))
            for name, data in parts
        )
    )
    return path


@pytest.mark.parametrize("number", [2, 3, 4], ids=["gray+alpha", "RGB", "RGBA"])
def test_png_of_16_bits_in_colours_keeps_its_depth(tmp_path: Path, number: int) -> None:
    gray = (RAMP.astype(np.uint16) * 16) + np.arange(48, dtype=np.uint16)[:, None] % 16
    channels = np.stack([gray] * number, axis=-1)
    if number in {2, 4}:
        channels[..., -1] = 65535
    xray = read_xray(png_of_16_bits(tmp_path / "a.png", channels))
    alone = read_xray(save(tmp_path / "gray.png", Image.fromarray(gray)))
    np.testing.assert_array_equal(xray.pixels, alone.pixels)
    assert "16-bit colour" in xray.notes


def test_transparent_parts_of_16_bits_are_black(tmp_path: Path) -> None:
    channels = np.full((48, 64, 4), 30000, np.uint16)
    channels[:, 32:, :3] = np.arange(32, dtype=np.uint16)[:, None] * 900
    channels[..., 3] = 65535
    channels[:10, :, 3] = 0
    xray = read_xray(png_of_16_bits(tmp_path / "a.png", channels))
    assert not xray.pixels[:10].any()
    assert xray.pixels[10:, 33:].any()


def test_jpeg_is_close(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(RAMP), quality=95)
    difference = read_xray(path).pixels.astype(int) - RAMP
    assert np.abs(difference).max() <= 8


def test_cmyk_jpeg_keeps_its_polarity(tmp_path: Path) -> None:
    image = Image.fromarray(RAMP).convert("RGB").convert("CMYK")
    decoded = read_xray(save(tmp_path / "a.jpg", image, quality=95))
    assert decoded.pixels[:, 0].mean() < 20
    assert decoded.pixels[:, -1].mean() > 230


def test_palette_gives_colours_not_indices(tmp_path: Path) -> None:
    image = Image.new("P", (64, 48))
    image.putdata((RAMP // 4).ravel().tolist())
    image.putpalette([value for i in range(64) for value in [252 - 4 * i] * 3])
    decoded = read_xray(save(tmp_path / "a.png", image))
    np.testing.assert_array_equal(decoded.pixels, 252 - RAMP)
    assert decoded.notes == ("palette",)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(RAMP > 100))
    np.testing.assert_array_equal(read_xray(path).pixels, np.where(RAMP > 100, 255, 0))


def with_alpha(alpha: np.ndarray) -> Image.Image:
    image = Image.fromarray(RAMP).convert("LA")
    image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return image


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_parts_become_black(tmp_path: Path, mode: str) -> None:
    alpha = np.full(RAMP.shape, 255)
    alpha[:10], alpha[10:20] = 0, 128
    decoded = read_xray(save(tmp_path / "a.png", with_alpha(alpha).convert(mode)))
    assert not decoded.pixels[:10].any()
    expected = RAMP[10:20] * (128 / 255)
    np.testing.assert_allclose(decoded.pixels[10:20], expected, atol=0.5)
    np.testing.assert_array_equal(decoded.pixels[20:], RAMP[20:])
    assert decoded.notes == ("transparent parts black",)


@pytest.mark.parametrize("level", [0, 255])
def test_an_alpha_of_one_value_is_ignored(tmp_path: Path, level: int) -> None:
    path = save(tmp_path / "a.png", with_alpha(np.full(RAMP.shape, level)))
    np.testing.assert_array_equal(read_xray(path).pixels, RAMP)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png"])
def test_exif_orientation_is_applied(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn clockwise
    path = save(tmp_path / name, Image.fromarray(RAMP), exif=exif)
    decoded = read_xray(path)
    assert decoded.pixels.shape == (64, 48)
    assert decoded.pixels[0].mean() < decoded.pixels[-1].mean()
    assert "EXIF rotated" in decoded.notes


def test_first_of_several_pages_is_read(tmp_path: Path) -> None:
    pages = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    path = save(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:])
    decoded = read_xray(path)
    np.testing.assert_array_equal(decoded.pixels, RAMP)
    assert decoded.notes == ("first page of several",)


def deep() -> np.ndarray:
    """16 bits: a tissue ramp 1000..2999, black border, burnt-in white."""
    values = np.tile(np.linspace(1000, 2999, 200).astype(np.uint16), (200, 1))
    values[:40] = 0
    values[190:, :20] = 65535
    return values


@pytest.mark.parametrize(
    ("name", "dtype", "kind"),
    [
        ("a.png", np.uint16, "16-bit"),
        ("a.tif", np.uint16, "16-bit"),
        ("a.tif", np.int32, "32-bit"),
        ("a.tif", np.float32, "float"),
    ],
)
def test_deep_images_are_scaled_to_their_tissue(
    tmp_path: Path, name: str, dtype: type, kind: str
) -> None:
    path = save(tmp_path / name, Image.fromarray(deep().astype(dtype)))
    decoded = read_xray(path)
    assert decoded.low == pytest.approx(1000, abs=15)
    assert decoded.high == pytest.approx(2999, abs=15)
    assert not decoded.pixels[:40].any()
    assert (decoded.pixels[190:, :20] == 255).all()
    row = decoded.pixels[100].astype(int)
    assert row[0] == 0
    assert row[-1] == 255
    assert (np.diff(row) >= 0).all()
    assert decoded.notes == (f"{kind} scaled by percentiles",)


def test_white_is_zero_is_turned(tmp_path: Path) -> None:
    image = Image.fromarray(deep())
    path = save(tmp_path / "a.tif", image, tiffinfo={262: 0})
    turned = read_xray(path)
    plain = read_xray(save(tmp_path / "b.tif", image))
    np.testing.assert_array_equal(turned.pixels, 255 - plain.pixels)
    assert (turned.low, turned.high) == (plain.high, plain.low)
    assert "inverted (WhiteIsZero)" in turned.notes


def png(header: bytes, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("value", [0, 700])
def test_constant_deep_image_is_black(tmp_path: Path, value: int) -> None:
    image = Image.fromarray(np.full((40, 40), value, np.uint16))
    decoded = read_xray(save(tmp_path / "a.png", image))
    assert not decoded.pixels.any()
    assert decoded.low == decoded.high == value
    assert decoded.notes[-1] == "constant"


def test_not_a_number_is_black_and_infinity_white(tmp_path: Path) -> None:
    values = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    values[0, :3] = np.nan, np.inf, -np.inf
    decoded = read_xray(save(tmp_path / "a.tif", Image.fromarray(values)))
    assert decoded.pixels[0, :3].tolist() == [0, 255, 0]
    assert 0 <= decoded.low < decoded.high <= 1


def test_no_finite_value(tmp_path: Path) -> None:
    values = np.full((64, 64), np.nan, np.float32)
    path = save(tmp_path / "a.tif", Image.fromarray(values))
    with pytest.raises(ImageError, match=r"a\.tif cannot be used: .*no finite value"):
        read_xray(path)


@given(
    arrays(
        np.uint16,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.integers(0, 65535),
    )
)
def test_scaling_keeps_the_order(values: np.ndarray) -> None:
    pixels, low, high = to_8bit(values)
    assert low <= high
    order = np.argsort(values.ravel(), kind="stable")
    assert (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()
    np.testing.assert_array_equal(pixels, to_8bit(values.astype(np.int32))[0])


def test_two_values_become_black_and_white() -> None:
    pixels, low, high = to_8bit(np.array([[5, 900], [900, 5]], np.uint16))
    assert pixels.tolist() == [[0, 255], [255, 0]]
    assert (low, high) == (5, 900)


def test_img_is_inverted_12_bit_big_endian(tmp_path: Path) -> None:
    film = np.tile(np.linspace(3500, 500, 2048).astype(">u2"), (2048, 1))
    film[0, :2] = 4095, 60000  # beyond 12 bits: clipped
    path = tmp_path / "JPCLN001.IMG"
    path.write_bytes(film.tobytes())
    assert path.stat().st_size == 8_388_608
    decoded = read_xray(path)
    assert decoded.pixels.shape == (2048, 2048)
    assert decoded.pixels[0, :2].tolist() == [0, 0]
    assert decoded.pixels[1, 0] < 5  # dense film is air
    assert decoded.pixels[1, -1] > 250
    assert decoded.low == pytest.approx(3500, abs=10)
    assert decoded.high == pytest.approx(500, abs=10)
    assert decoded.notes == ("12-bit raw, inverted, scaled by percentiles",)


def test_img_of_other_length(tmp_path: Path) -> None:
    path = tmp_path / "JPCLN001.IMG"
    path.write_bytes(b"\0" * 1000)
    with pytest.raises(ImageError, match=r"JPCLN001\.IMG has 1,000 bytes.*8,388,608"):
        read_xray(path)


def test_published_montgomery_size(tmp_path: Path) -> None:
    values = np.zeros((4020, 4892), np.uint8)
    values[1000:3000, 1000:4000] = 130
    path = save(tmp_path / "a.png", Image.fromarray(values), compress_level=1)
    np.testing.assert_array_equal(read_xray(path).pixels, values)


def test_published_shenzhen_palette(tmp_path: Path) -> None:
    image = Image.new("P", (3000, 2919), 7)
    image.putpalette([255 - i // 3 for i in range(768)])
    path = save(tmp_path / "a.png", image, compress_level=1)
    decoded = read_xray(path)
    assert decoded.pixels.shape == (2919, 3000)
    assert (decoded.pixels == 248).all()


def png_bytes() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"hello\n" * 50, "is not an image in PNG", id="text"),
        pytest.param(b"", r"is empty \(0 bytes\)", id="zero bytes"),
        pytest.param(png_bytes()[:2000], "is broken: .*truncated", id="truncated"),
        pytest.param(png_bytes()[:20], "is (broken|not an image)", id="header only"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=rf"bad\.png {message}") as caught:
        read_xray(path)
    assert "\n" not in str(caught.value)
    assert "remove" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot read .*a\.png: No such file"):
        read_xray(tmp_path / "a.png")


def test_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    path.write_bytes(png(header, zlib.compress(b"\0" * 100)))
    with pytest.raises(ImageError, match=r"bomb\.png claims more pixels"):
        read_xray(path)


def test_large_images_do_not_warn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(RAMP))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # of 3072: half way to refusal
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(read_xray(path).pixels, RAMP)
    assert caught == []


@pytest.mark.parametrize("size", [(1, 1), (31, 500), (500, 31)])
def test_small_images_have_their_own_error(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = save(tmp_path / "a.png", Image.new("L", size))
    with pytest.raises(TooSmallError, match=rf"a\.png has {size[0]}×{size[1]} pixels"):
        read_xray(path)


def test_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        with pytest.raises(ImageError, match=f"{name} is not a file"):
            read_xray(tmp_path / name)


def test_scans_are_counted_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_CHUNK", 7)
    stream = b"\xff\xd8" + b"\xff\xda\0\0\0" * 100
    opening.check_scans(tmp_path / "a.jpg", io.BytesIO(stream))
    with pytest.raises(ImageError, match=r"a.jpg has more than 100 scans"):
        opening.check_scans(tmp_path / "a.jpg", io.BytesIO(stream + b"\xff\xda"))
