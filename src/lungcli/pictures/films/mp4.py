"""MP4 with H.264, through FFmpeg, which `lungcli[video]` brings along."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.arrays import Rgb
from lungcli.errors import ConfigError

_QUALITY: Final = ("-crf", "26")  # letters and outlines look as in the GIF
_BROWSER: Final = ("-movflags", "+faststart")  # begins before it has the whole file
# Without this, players guess the colours from the size of the picture.
_COLOURS: Final = (
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv"),
    *("-colorspace", "bt709"),
)


def check_ffmpeg() -> None:
    """Raise ConfigError, with the remedy, if FFmpeg did not come with lungcli."""
    if find_spec("imageio_ffmpeg") is None:
        msg = (
            "an MP4 needs FFmpeg, which is not installed: "
            "pip install 'lungcli[video]', or choose .webp or .gif."
        )
        raise ConfigError(msg)


def write_mp4_frames(frames: Iterable[Rgb], path: Path, fps: float) -> None:
    """Write H.264 with 4:2:0 colours, which every browser plays.

    Odd frames grow by one row or column, since 4:2:0 halves both.

    Args:
        frames: Pictures of one shape `(height, width, 3)`; read once.
        path: The file.
        fps: Frames a second.

    Raises:
        ConfigError: If FFmpeg is not installed.
        OSError: If it fails.
    """
    check_ffmpeg()
    from imageio.v3 import imwrite  # noqa: PLC0415 - with its plugins, slow

    imwrite(
        path,
        map(_even, frames),
        plugin="FFMPEG",
        is_batch=True,
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        quality=None,
        macro_block_size=2,
        ffmpeg_log_level="error",
        output_params=[*_QUALITY, *_BROWSER, *_COLOURS],
    )


def _even(frame: Rgb) -> Rgb:
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
