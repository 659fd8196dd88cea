"""Masks as tools save them: read rightly or refused, never silently another mask."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.anatomy import IGNORE
from lungcli.data.mask_files import read_mask
from lungcli.errors import ImageError
from lungcli.phantom import draw_phantom

SIDE = 256
SEEDS = (1, 2, 3, 4)


def drawn(seed=1, *, tight=False):
    """Return label maps of right and left lung, perhaps cropped close to the lungs."""
    labels = draw_phantom(seed=seed, size=SIDE).labels
    if tight:
        rows, columns = (np.flatnonzero((labels > 0).any(axis=at)) for at in (1, 0))
        labels = labels[
            max(rows[0] - 3, 0) : rows[-1] + 4, max(columns[0] - 3, 0) : columns[-1] + 4
        ]
    return labels.astype(np.uint8)


def outline(labels, width=2):
    inner = ndimage.binary_erosion(labels > 0, iterations=width)
    return (labels > 0) & ~inner


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def colours(labels, *rgb):
    return np.array(((0, 0, 0), *rgb), np.uint8)[labels]


SCHEMES = {
    "0/255": lambda x: np.where(x > 0, 255, 0),
    "one gray of two": lambda x: np.choose(x, (0, 127, 255)),
    "dim and bright": lambda x: np.choose(x, (0, 100, 255)),
    "the other way round": lambda x: np.choose(x, (0, 255, 90)),
    "16 bit, two grays": lambda x: np.choose(x, (0, 20000, 60000)),
    "classes of VOC": lambda x: colours(x, (64, 0, 0), (192, 0, 0)),
    "a tool's colours": lambda x: colours(x, (120, 20, 10), (255, 210, 90)),
    "on white": lambda x: np.where(x[..., None] > 0, (200, 0, 0), (255, 255, 255)),
    "outline of 255": lambda x: np.where(outline(x), 255, np.where(x > 0, 120, 0)),
    "inverted": lambda x: np.where(x > 0, 0, 255),
    "inverted 1 bit": lambda x: np.where(x > 0, 0, 1) * 255 > 0,
}


@pytest.mark.parametrize("tight", [False, True], ids=["whole", "tight"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_lungs_however_they_are_drawn(tmp_path, scheme, seed, tight):
    labels = drawn(seed, tight=tight)
    picture = SCHEMES[scheme](labels)
    kind = np.bool_ if picture.dtype == np.bool_ else np.uint8
    picture = picture.astype(np.uint16 if scheme.startswith("16") else kind)
    raw = read_mask(save(tmp_path / "m.png", picture))
    assert raw.is_inverted == scheme.startswith("inverted")
    assert np.mean((raw.labels > 0) != (labels > 0)) < 1e-3
    assert np.mean(raw.with_sides() != labels) < 1e-2


@pytest.mark.parametrize("both", [True, False], ids=["0/1/2", "0/1"])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_labels_with_an_outline_of_ignore(tmp_path, both, width):
    labels = drawn()
    picture = labels if both else (labels > 0).astype(np.uint8)
    border = outline(labels, width)
    raw = read_mask(save(tmp_path / "m.png", np.where(border, 255, picture)))
    expected = np.where(border, IGNORE, picture)
    np.testing.assert_array_equal(raw.labels, expected)
    assert raw.has_sides == both


def test_the_ignored_gray_of_v7(tmp_path):
    labels = drawn()
    picture = np.where(labels > 0, 255, 0).astype(np.uint8)
    picture[-40:-10, 100:150] = 127
    raw = read_mask(save(tmp_path / "m.png", picture))
    expected = np.where(labels > 0, 1, np.where(picture == 127, IGNORE, 0))
    np.testing.assert_array_equal(raw.labels, expected)


@pytest.mark.parametrize("quality", [60, 75, 90, 95])
@pytest.mark.parametrize("both", [True, False], ids=["0/1/2", "0/1"])
def test_numbers_in_a_lossy_format_are_refused(tmp_path, both, quality):
    labels = drawn()
    picture = labels if both else (labels > 0).astype(np.uint8)
    path = save(tmp_path / "m.jpg", picture, quality=quality)
    if not np.asarray(Image.open(path)).any():
        pytest.skip("nothing is left of it")
    with pytest.raises(ImageError, match="lossy format"):
        read_mask(path)


@pytest.mark.parametrize("quality", [40, 75, 95])
@pytest.mark.parametrize("scheme", ["0/255", "one gray of two", "inverted"])
@pytest.mark.parametrize("seed", SEEDS)
def test_lossy_areas_are_right_or_refused(tmp_path, scheme, seed, quality):
    labels = drawn(seed)
    picture = SCHEMES[scheme](labels).astype(np.uint8)
    path = save(tmp_path / "m.jpg", picture, quality=quality)
    try:
        raw = read_mask(path)
    except ImageError:
        assert scheme == "one gray of two"
        return
    assert np.mean((raw.labels > 0) != (labels > 0)) < 0.01


@pytest.mark.parametrize("alpha", [40, 100, 127, 128, 255])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 40, 40)], ids=["black", "red"])
def test_drawn_over_nothing_at_any_opacity(tmp_path, alpha, colour):
    labels = drawn()
    picture = np.zeros((*labels.shape, 4), np.uint8)
    picture[labels > 0] = (*colour, alpha)
    raw = read_mask(save(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(raw.labels > 0, labels > 0)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param((0, 255, 255, 128), "128, 255|255, 128", id="heart in gray"),
        pytest.param((0, 80, 160, 255), "80|160|255", id="three grays"),
    ],
)
def test_what_nobody_can_tell_is_refused(tmp_path, values, named):
    phantom = draw_phantom(seed=1, size=SIDE)
    labels = np.where(phantom.heart & (phantom.labels == 0), 3, phantom.labels)
    picture = np.array(values, np.uint8)[labels]
    with pytest.raises(ImageError, match=f"values .*({named}).*--labels"):
        read_mask(save(tmp_path / "m.png", picture))


def test_what_the_user_says_settles_it(tmp_path):
    phantom = draw_phantom(seed=1, size=SIDE)
    labels = np.where(phantom.heart & (phantom.labels == 0), 3, phantom.labels)
    gray = save(tmp_path / "g.png", np.array((0, 80, 160, 255), np.uint8)[labels])
    said = {80: "right", 160: "left", 255: "heart"}
    np.testing.assert_array_equal(read_mask(gray, said).labels, labels)
    palette = colours(labels, (9, 9, 200), (200, 9, 9), (9, 200, 9))
    path = save(tmp_path / "c.png", palette)
    said = {0x0909C8: "lungs", 0xC80909: "lungs", 0x09C809: "ignore"}
    raw = read_mask(path, said)
    expected = np.choose(labels, (0, 1, 1, IGNORE))
    np.testing.assert_array_equal(raw.labels, expected)
    assert not raw.has_sides
    with pytest.raises(ImageError, match=r"#09c809.*--labels"):
        read_mask(path, {0x0909C8: "lungs", 0xC80909: "lungs"})


@pytest.mark.parametrize("seed", SEEDS)
def test_resized_masks_stay_masks(tmp_path, seed):
    """Smoothing leaves every shade of gray along the borders, and no areas of them."""
    labels = drawn(seed)
    image = Image.fromarray(np.where(labels > 0, 255, 0).astype(np.uint8))
    small = image.resize((SIDE // 2, SIDE // 2), Image.Resampling.LANCZOS)
    again = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    raw = read_mask(save(tmp_path / "m.png", again))
    assert np.mean((raw.labels > 0) != (labels > 0)) < 0.01


def test_one_lung_alone(tmp_path):
    labels = np.where(drawn() == 1, 255, 0).astype(np.uint8)
    raw = read_mask(save(tmp_path / "m.png", labels))
    np.testing.assert_array_equal(raw.labels > 0, labels > 0)


def test_a_crop_whose_border_is_lung(tmp_path):
    """Lungs along most of the border are no reason to turn the mask round."""
    picture = np.full((120, 100), 255, np.uint8)
    picture[:, 40:60] = 0
    raw = read_mask(save(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(raw.labels > 0, picture > 0)
