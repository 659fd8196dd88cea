import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.data.duplicates import NEAR, Copy, find_copies, look_at


def film(seed, side=256):
    """Coarse shadows that all films share, fine structure that is its own."""
    rows, columns = np.mgrid[:side, :side] / side
    shared = 120 + 60 * np.cos(4 * np.pi * columns) * np.sin(np.pi * rows)
    rng = np.random.default_rng(seed)
    own = ndimage.gaussian_filter(rng.normal(size=(side, side)), side / 40)
    return np.clip(shared + 15 * own / own.std(), 0, 255).astype(np.uint8)


def as_jpeg(gray):
    stream = io.BytesIO()
    Image.fromarray(gray).save(stream, "JPEG", quality=50)
    return np.array(Image.open(stream))


def resized(gray, size):
    return np.array(Image.fromarray(gray).resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda g: resized(g, (128, 128)), id="half"),
        pytest.param(lambda g: resized(g, (640, 500)), id="enlarged, other aspect"),
        pytest.param(as_jpeg, id="jpeg"),
        pytest.param(lambda g: (255 * (g / 255) ** 0.75).astype(np.uint8), id="gamma"),
        pytest.param(lambda g: (g * 0.8 + 20).astype(np.uint8), id="contrast"),
    ],
)
def test_near_copies_are_found(change):
    looks = [look_at(film(0)), look_at(change(film(0)))]
    (copy,) = find_copies(looks)
    assert (copy.first, copy.second) == (0, 1)
    assert copy.similarity is not None
    assert NEAR <= copy.similarity <= 1


def test_exact_copies_point_to_the_first():
    looks = [look_at(film(seed)) for seed in (0, 1, 0, 0)]
    assert find_copies(looks) == (Copy(0, 2, None), Copy(0, 3, None))


def test_shared_shadows_are_no_copies():
    assert find_copies([look_at(film(seed)) for seed in range(40)]) == ()


def test_black_images_are_equal_only_if_they_are():
    looks = [look_at(np.zeros(shape, np.uint8)) for shape in ((40, 40), (50, 50))]
    assert find_copies(looks) == ()
    assert find_copies([]) == ()


def test_same_pixels_of_another_shape_differ():
    gray = np.arange(64 * 32, dtype=np.uint32).astype(np.uint8)
    assert look_at(gray.reshape(64, 32)).digest != look_at(gray.reshape(32, 64)).digest


def test_blocks_do_not_lose_pairs(monkeypatch):
    monkeypatch.setattr("lungcli.data.duplicates._BLOCK", 2)
    films = [film(seed) for seed in (0, 1, 2, 3)]
    looks = [look_at(f) for f in (*films, as_jpeg(films[0]), as_jpeg(films[3]))]
    pairs = [(copy.first, copy.second) for copy in find_copies(looks)]
    assert pairs == [(0, 4), (3, 5)]
