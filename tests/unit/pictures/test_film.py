"""Films keep every frame, their pace and the overlay colours, in every format."""

import resource
import sys

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lungcli.anatomy import HEART
from lungcli.errors import ConfigError, OutputError
from lungcli.pictures.colours import PALETTE
from lungcli.pictures.film import (
    FILM_SUFFIXES,
    check_film,
    write_film,
    write_gif,
    write_png,
)
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
            film.load()  # WebP knows the time only then
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
        np.testing.assert_array_equal(film, plain(level))


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


def test_the_line_of_a_heart_is_kept(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    frame[1, 1:7] = HEART.colour  # too short for the pixels that the palette is made of
    (film,), _, _ = opened(write_gif([frame], tmp_path / "film.gif"))
    assert abs(film[1, 1:7].astype(int) - HEART.colour).max() <= 4


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


def moving(count=5, shape=(24, 32)):
    """Return frames of a square that walks over a ramp, the third and fourth equal."""
    frames = []
    for number in [0, 1, 2, 2, *range(4, count)][:count]:
        frame = to_rgb(
            np.tile(np.linspace(0, 255, shape[1]).astype(np.uint8), (shape[0], 1))
        )
        frame[4:10, 3 * number : 3 * number + 6] = (213, 94, 0)
        frames.append(frame)
    return frames


@pytest.mark.parametrize("suffix", [".webp", ".apng", ".png", ".gif", ".WEBP"])
@pytest.mark.parametrize("count", [1, 5])
def test_formats_that_pillow_reads(tmp_path, suffix, count):
    frames = moving(count)
    path = write_film(iter(frames), tmp_path / f"film{suffix}", fps=4)
    films, durations, loop = opened(path)
    assert durations == [250] * count
    assert loop == 0
    assert len(films) == count
    for film, frame in zip(films, frames, strict=True):
        assert film.shape == frame.shape
        error = abs(film.astype(int) - frame)
        assert error.mean() < {".gif": 2, ".webp": 8}.get(suffix.lower(), 0.001)


@given(
    frames=st.lists(arrays(np.uint8, (3, 4, 3)), min_size=2, max_size=4),
    suffix=st.sampled_from([".png", ".apng"]),
)
def test_animated_png_is_exact(tmp_path_factory, frames, suffix):
    path = write_film(frames, tmp_path_factory.mktemp("f") / f"film{suffix}")
    for film, frame in zip(opened(path)[0], frames, strict=True):
        np.testing.assert_array_equal(film, frame)


STRIPES = st.tuples(st.sampled_from([0, 60, 120, 180, 240]), st.integers(0, 7))


@given(stripes=st.lists(STRIPES, min_size=2, max_size=6))
def test_gif_shows_what_changed_and_what_stayed(tmp_path_factory, stripes):
    """Few colours, far apart: the palette holds them all."""
    pictures = []
    for level, row in stripes:
        picture = plain(30, (8, 8))
        picture[row, :4] = level
        pictures.append(picture)
    path = write_gif(pictures, tmp_path_factory.mktemp("f") / "film.gif")
    for film, picture in zip(opened(path)[0], pictures, strict=True):
        assert abs(film.astype(int) - picture).max() <= 4


# imageio leaves the pipes of its reader open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("shape", [(24, 32), (23, 31)])
def test_mp4_plays_in_browsers(tmp_path, shape):
    frames = moving(5, shape)
    path = write_film(iter(frames), tmp_path / "film.mp4", fps=2)
    facts = iio.immeta(path, plugin="FFMPEG")
    assert (facts["fps"], facts["duration"]) == (2, 2.5)
    assert facts["codec"] == "h264"
    assert facts["pix_fmt"].startswith("yuv420p")
    assert facts["size"] == (32, 24)
    films = np.stack(list(iio.imiter(path, plugin="FFMPEG")))
    assert films.shape == (5, 24, 32, 3)
    for film, frame in zip(films, frames, strict=True):
        seen = film[: shape[0], : shape[1]]
        assert abs(seen.astype(int) - frame).mean() < 12


def test_mp4_without_ffmpeg_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ConfigError, match=r"pip install 'lungcli\[video\]'"):
        check_film(tmp_path / "film.mp4")
    with pytest.raises(ConfigError, match="needs FFmpeg"):
        write_film(moving(), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["film.avi", "film", "film.jpg"])
def test_unknown_format_names_the_known_ones(tmp_path, name):
    with pytest.raises(ConfigError, match=", ".join(FILM_SUFFIXES)):
        write_film(moving(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", FILM_SUFFIXES)
def test_a_film_that_breaks_off_leaves_nothing(tmp_path, suffix):
    def frames():
        yield from moving(3)
        yield plain(1, (5, 5))

    with pytest.raises(ValueError, match=r"\(5, 5, 3\).*\(24, 32, 3\)"):
        write_film(frames(), tmp_path / f"film{suffix}")
    with pytest.raises(ValueError, match="at least one frame"):
        write_film([], tmp_path / f"film{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_memory_does_not_grow_with_the_film(tmp_path, suffix):
    """Forty frames of 3 MB; Pillow would keep them all."""
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3)).astype(np.uint8)
    noise[:, 60:] = 0
    write_film([noise, noise], tmp_path / f"short{suffix}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = (np.roll(noise, number, axis=0) for number in range(40))
    write_film(frames, tmp_path / f"film{suffix}")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000  # KiB on Linux
