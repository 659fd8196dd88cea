"""Pictures to files: PNG, and films in the format that their name asks for."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from lungcli.arrays import Gray, Rgb
from lungcli.errors import ConfigError
from lungcli.pictures.films.apng import write_apng_frames
from lungcli.pictures.films.gif import write_gif_frames
from lungcli.pictures.films.mp4 import check_ffmpeg, write_mp4_frames
from lungcli.pictures.films.webp import write_webp_frames
from lungcli.system.files import whole_file

FILM_SUFFIXES: Final = (".gif", ".webp", ".apng", ".png", ".mp4")
_SHORTEST_MS: Final = 20  # browsers slow anything faster down to 100 ms


def write_png(picture: Rgb | Gray, path: Path) -> Path:
    """Write a picture as PNG, whole or not at all, and return `path`.

    Args:
        picture: Shape `(height, width, 3)` or `(height, width)`.
        path: The file; parent folders are made.

    Raises:
        OutputError: If the file cannot be written.
    """
    with whole_file(path) as part:
        Image.fromarray(picture).save(part, "PNG")
    return path


def write_gif(frames: Iterable[Rgb], path: Path, *, fps: float = 10) -> Path:
    """Write an animated GIF, and return `path`; see `write_film`."""
    with whole_file(path) as part:
        write_gif_frames(_checked(frames), part, _duration_ms(fps, step=10))
    return path


def check_film(path: Path) -> None:
    """Refuse what `write_film` could not write, before any work is done.

    Raises:
        ConfigError: If the suffix is none of `FILM_SUFFIXES`, or is `.mp4` where FFmpeg
            is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in FILM_SUFFIXES:
        msg = f"{path}: unknown film format. Take one of {', '.join(FILM_SUFFIXES)}."
        raise ConfigError(msg)
    if suffix == ".mp4":
        check_ffmpeg()


def write_film(frames: Iterable[Rgb], path: Path, *, fps: float = 1) -> Path:
    """Write a film that loops for ever (an MP4: once), and return `path`.

    One frame is held in memory, however many there are.

    Args:
        frames: Pictures of one shape `(height, width, 3)`; read once.
        path: The file, its suffix the format; parent folders are made. `.png` is an
            animated PNG.
        fps: Frames a second, at most 50. GIF counts in 10 ms: the nearest such
            duration is taken.

    Raises:
        ConfigError: As `check_film`.
        ValueError: If there is no frame, their shapes differ, or `fps` is not above 0.
        OutputError: If the file cannot be written.
    """
    check_film(path)
    suffix = path.suffix.lower()
    if suffix == ".gif":
        return write_gif(frames, path, fps=fps)
    duration = _duration_ms(fps)
    checked = _checked(frames)
    with whole_file(path) as part:
        if suffix == ".mp4":
            write_mp4_frames(checked, part, fps)
        elif suffix == ".webp":
            write_webp_frames(checked, part, duration)
        else:
            write_apng_frames(checked, part, duration)
    return path


def _duration_ms(fps: float, *, step: int = 1) -> int:
    if fps <= 0:
        msg = f"fps {fps}: must be above 0."
        raise ValueError(msg)
    return max(_SHORTEST_MS, step * round(1000 / (fps * step)))


def _checked(frames: Iterable[Rgb]) -> Iterator[Rgb]:
    """Yield the frames; refuse none at all, and two of different shapes."""
    shape: tuple[int, ...] | None = None
    for frame in frames:
        if shape is None:
            shape = frame.shape
        if frame.shape != shape or frame.ndim != 3:
            msg = f"a frame is {frame.shape}, the first one is {shape}."
            raise ValueError(msg)
        yield frame
    if shape is None:
        msg = "a film needs at least one frame."
        raise ValueError(msg)
