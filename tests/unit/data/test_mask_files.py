from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.data.mask_files import read_mask
from lungcli.errors import ImageError
from lungcli.phantom import draw_phantom

LABELS = np.zeros((6, 8), np.uint8)
LABELS[1:5, 1:3] = 1
LABELS[1:5, 5:7] = 2
LUNGS = (LABELS > 0).astype(np.uint8)


def save(path: Path, image: Image.Image | np.ndarray, **options: object) -> Path:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(path, **options)
    return path


def palette(indices: np.ndarray, colours: list[int]) -> Image.Image:
    image = Image.new("P", indices.shape[::-1])
    image.putdata(indices.ravel().tolist())
    image.putpalette(colours)
    return image


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(LUNGS, id="0/1"),
        pytest.param(LUNGS * 255, id="0/255"),
        pytest.param(LUNGS > 0, id="1 bit"),
        pytest.param(LUNGS.astype(np.uint16) * 65535, id="16 bit"),
        pytest.param(LUNGS.astype(np.float32), id="float"),
        pytest.param(np.where(LUNGS, 255, 127).astype(np.uint8), id="V7's ignore"),
        pytest.param(np.stack([LUNGS * 0, LUNGS * 0, LUNGS * 255], 2), id="blue"),
        pytest.param(np.eye(3, dtype=np.uint8)[LABELS] * [0, 255, 255], id="2 colours"),
    ],
)
def test_binary_masks(tmp_path: Path, drawn: np.ndarray) -> None:
    suffix = "tif" if drawn.dtype == np.float32 else "png"
    drawn = drawn.astype(np.uint8) if drawn.dtype == np.int64 else drawn
    raw = read_mask(save(tmp_path / f"m.{suffix}", drawn))
    np.testing.assert_array_equal(raw.labels, LUNGS)
    assert not raw.has_sides


def test_edges_are_cut_at_half_of_the_largest(tmp_path: Path) -> None:
    drawn = np.array([[*[0] * 20, 49, 50, 51, 100]], np.uint8)
    raw = read_mask(save(tmp_path / "m.png", drawn))
    assert raw.labels.tolist() == [[*[0] * 20, 0, 1, 1, 1]]


def test_an_xray_is_no_mask(tmp_path: Path) -> None:
    phantom = draw_phantom(3, 128)
    with pytest.raises(ImageError, match=r"x\.png is a picture .*not a mask; "):
        read_mask(save(tmp_path / "x.png", phantom.image))


@pytest.mark.parametrize("quality", [5, 75])
def test_a_mask_saved_as_jpeg_is_one(tmp_path: Path, quality: int) -> None:
    """Its edges are blurred, and all over it are traces of them."""
    lungs = (draw_phantom(3, 128).labels > 0).astype(np.uint8) * 255
    path = save(tmp_path / "m.jpg", lungs, quality=quality)
    assert np.mean(read_mask(path).labels != lungs // 255) < 0.01


def test_probabilities_are_a_mask(tmp_path: Path) -> None:
    lungs = (draw_phantom(3, 128).labels > 0).astype(float) * 255
    soft = ndimage.gaussian_filter(lungs, 2).astype(np.uint8)
    assert read_mask(save(tmp_path / "m.png", soft)).labels.any()


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(LABELS, id="gray"),
        pytest.param(LABELS.astype(np.uint16), id="16 bit"),
        pytest.param(LABELS.astype(np.float32), id="float"),
        pytest.param(np.stack([LABELS] * 3, 2), id="RGB"),
        pytest.param(palette(LABELS, [0, 0, 0, 255, 0, 0, 0, 0, 255]), id="palette"),
    ],
)
def test_label_maps_are_kept(tmp_path: Path, drawn: np.ndarray | Image.Image) -> None:
    is_float = isinstance(drawn, np.ndarray) and drawn.dtype == np.float32
    raw = read_mask(save(tmp_path / f"m.{'tif' if is_float else 'png'}", drawn))
    np.testing.assert_array_equal(raw.labels, LABELS)
    assert raw.has_sides


def test_two_lungs_drawn_as_2_have_no_sides(tmp_path: Path) -> None:
    raw = read_mask(save(tmp_path / "m.png", LUNGS * 2))
    assert not raw.has_sides
    np.testing.assert_array_equal(raw.labels, LUNGS)


def test_left_lung_alone_has_sides(tmp_path: Path) -> None:
    raw = read_mask(save(tmp_path / "m.png", LABELS & 2))
    assert raw.has_sides
    assert set(np.unique(raw.labels)) == {0, 2}


@pytest.mark.parametrize(
    ("indices", "colours"),
    [
        pytest.param(1 - LUNGS, [255] * 3 + [0] * 3, id="index 0 is white"),
        pytest.param(LUNGS * 9, [0] * 27 + [200, 0, 0], id="index 9 is red"),
        pytest.param(LUNGS * 255, [i // 3 for i in range(768)], id="ramp"),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palettes_mean_their_colours(
    tmp_path: Path, indices: np.ndarray, colours: list[int], suffix: str
) -> None:
    raw = read_mask(save(tmp_path / f"m.{suffix}", palette(indices, colours)))
    np.testing.assert_array_equal(raw.labels, LUNGS)


def test_mask_drawn_in_alpha(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    image.putalpha(Image.fromarray(LUNGS * 255))
    np.testing.assert_array_equal(
        read_mask(save(tmp_path / "m.png", image)).labels, LUNGS
    )


def test_what_is_transparent_is_no_lung(tmp_path: Path) -> None:
    channels = np.dstack([np.full((6, 8, 3), 90), np.full((6, 8), 255)])
    channels[0, 0] = 255, 255, 255, 0
    channels[1:5, 1:3, :3] = 250
    path = save(tmp_path / "m.png", channels.astype(np.uint8))
    np.testing.assert_array_equal(read_mask(path).labels, LABELS == 1)


def test_transparent_palette_colours_are_no_lung(tmp_path: Path) -> None:
    image = palette(LUNGS + 5, [255] * 18 + [200] * 3)  # 5 white, 6 light gray
    path = save(tmp_path / "m.png", image, transparency=5)
    np.testing.assert_array_equal(read_mask(path).labels, LUNGS)


def test_opaque_alpha_is_ignored(tmp_path: Path) -> None:
    image = Image.fromarray(LUNGS * 255).convert("RGBA")
    np.testing.assert_array_equal(
        read_mask(save(tmp_path / "m.png", image)).labels, LUNGS
    )


def test_empty_mask(tmp_path: Path) -> None:
    raw = read_mask(save(tmp_path / "m.png", LUNGS * 0))
    assert raw.labels.shape == (6, 8)
    assert not raw.labels.any()


def test_other_label_maps_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", LABELS * 2)
    with pytest.raises(ImageError, match=r"m\.png is a label map .* 0 to 4; lungcli"):
        read_mask(path)


def test_text_named_png(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_text("no mask")
    with pytest.raises(ImageError, match=r"m\.png is not an image"):
        read_mask(path)


WITH_HEART = LABELS.copy()
WITH_HEART[2:5, 3:5] = 3


@pytest.mark.parametrize("ignore", [False, True])
def test_the_heart_is_3(tmp_path: Path, ignore: bool) -> None:
    drawn = WITH_HEART.copy()
    drawn[0] = 255 * ignore
    colours = [0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 0, *[255] * 756]
    for name, image in (("gray", drawn), ("palette", palette(drawn, colours))):
        raw = read_mask(save(tmp_path / f"{name}.png", image))
        np.testing.assert_array_equal(raw.labels, drawn)
        assert raw.has_sides


@pytest.mark.parametrize("lung", [1, 2])
def test_lungs_of_one_label_beside_a_heart_have_no_sides(
    tmp_path: Path, lung: int
) -> None:
    drawn = np.where(WITH_HEART == 3, 3, LUNGS * lung).astype(np.uint8)
    raw = read_mask(save(tmp_path / "m.png", drawn))
    assert not raw.has_sides
    np.testing.assert_array_equal(raw.labels > 0, drawn > 0)
    np.testing.assert_array_equal(raw.with_sides(), WITH_HEART)


def test_a_few_pixels_beside_255_are_what_smoothing_left(tmp_path: Path) -> None:
    drawn = np.zeros((40, 40), np.uint8)
    drawn[5:35, 5:35] = 255
    drawn[4, 5:8] = 2
    raw = read_mask(save(tmp_path / "m.png", drawn))
    np.testing.assert_array_equal(raw.labels, drawn == 255)


def test_labels_of_something_else(tmp_path: Path) -> None:
    message = r"labels from 0 to 4; lungcli knows 0 background, 1 right lung, .*3 heart"
    with pytest.raises(ImageError, match=message):
        read_mask(save(tmp_path / "m.png", LUNGS * 4))
