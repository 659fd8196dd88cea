"""Films keep every frame, their pace and the overlay colours."""

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from lungcli.errors import OutputError
from lungcli.pictures.colours import PALETTE
from lungcli.pictures.film import write_gif, write_png
from lungcli.pictures.overlay import outline, tint, to_rgb


def plain(level, shape=(24, 32)):
    return np.full((*shape, 3), level, np.uint8)


def opened(path):
    """Return the frames as RGB and the durations in ms."""
    with Image.open(path) as film:
        frames, durations = [], []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB")))
            durations.append(film.info["duration"])
        return frames, durations, film.info["loop"]


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param([10, 90, 200], id="different"),
        pytest.param([50, 50, 50, 50], id="all-identical"),
        pytest.param([10, 90, 90, 10, 10], id="some-identical"),
    ],
)
def test_every_frame_is_there(tmp_path, levels):
    frames = (plain(level) for level in levels)
    path = write_gif(frames, tmp_path / "film.gif", fps=10)
    films, durations, loop = opened(path)
    assert durations == [100] * len(levels)
    assert loop == 0
    for film, level in zip(films, levels, strict=True):
        assert film.shape == (24, 32, 3)
        np.testing.assert_array_equal(film[1:], plain(level)[1:])


def test_single_frame(tmp_path):
    path = write_gif([plain(7)], tmp_path / "film.gif")
    assert iio.imread(path, index=0).shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("fps", "duration"), [(10, 100), (3, 330), (25, 40), (1000, 20), (0.5, 2000)]
)
def test_pace_in_hundredths_of_a_second(tmp_path, fps, duration):
    path = write_gif([plain(1), plain(2)], tmp_path / "film.gif", fps=fps)
    assert opened(path)[1] == [duration, duration]


def test_overlay_colours_are_kept(tmp_path):
    generator = np.random.default_rng(0)
    frames = []
    for _ in range(3):
        ramp = np.linspace(0, 255, 256 * 256).reshape(256, 256)
        image = np.clip(ramp + generator.normal(0, 8, ramp.shape), 0, 255)
        frame = to_rgb(image.astype(np.uint8))
        for row, colour in enumerate(PALETTE):
            tint(frame[20 * row + 4 :][:16], np.ones((16, 256), bool), colour, 1.0)
        frames.append(frame)
    films, _, _ = opened(write_gif(frames, tmp_path / "film.gif"))
    for film in films:
        for row, colour in enumerate(PALETTE):
            band = film[20 * row + 4 :][:16].astype(int)
            assert abs(band - colour).max() <= 4


def test_xray_with_tints_stays_close(tmp_path):
    rows, columns = np.mgrid[:256, :256]
    image = ((rows + columns) // 2).astype(np.uint8)
    labels = np.zeros((256, 256), np.uint8)
    labels[60:200, 30:110], labels[60:200, 150:230] = 1, 2
    frame = outline(image, labels)
    tint(frame, labels == 1, (86, 180, 233), 0.45)
    (film,), _, _ = opened(write_gif([frame], tmp_path / "film.gif"))
    error = abs(film.astype(int) - frame)
    assert error.mean() < 2
    assert error.max() < 20


def test_frames_of_two_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(5, 32, 3\).*\(24, 32, 3\)"):
        write_gif([plain(1), plain(1, (5, 32))], tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


def test_no_frame_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one frame"):
        write_gif([], tmp_path / "film.gif")


def test_no_pace_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fps 0: must be above 0"):
        write_gif([plain(1)], tmp_path / "film.gif", fps=0)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1), (3, 3, 3), (2, 4)])
def test_png_keeps_every_pixel(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    path = write_png(picture, tmp_path / "new" / "picture.png")
    np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)


@pytest.mark.parametrize("write", [write_png, lambda p, path: write_gif([p], path)])
def test_unwritable_place_is_named(tmp_path, write):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write(plain(1), tmp_path / "file" / "picture.gif")
