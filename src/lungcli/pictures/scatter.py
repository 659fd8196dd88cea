"""Scatter plots of scores in [0, 1] drawn with Pillow: predicted against true."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lungcli.pictures.charts import nice_ticks
from lungcli.pictures.colours import BACKGROUND, BAR, GRID, QUIET, TEXT, Colour
from lungcli.pictures.text import draw_text, load_font, text_width

_OVERSAMPLING = 2  # drawn larger and reduced: Pillow's dots are not antialiased

# before the reduction, in pixels
_FONT_SIZE: Final = 26
_LEFT, _TOP, _RIGHT, _BOTTOM = 130, 120, 40, 110  # around the plot
_DOT_RADIUS: Final = 6
_OPACITY: Final = 150  # of 255: where dots are dense, it shows

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dots:
    """Values of one kind, each of shape `(n,)`."""

    name: str
    x: Values
    y: Values
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """What one scatter plot shows.

    Attributes:
        title: Above the plot, on the left.
        note: Below the title.
        dots: Any number of kinds, the last on top; their names are the legend.
        low: Where both axes begin; values below are drawn at the edge.
        high: Where both end.
        x_name: What the horizontal axis shows.
        y_name: What the vertical one shows; written above it.
    """

    title: str
    dots: tuple[Dots, ...]
    low: float
    high: float
    x_name: str
    y_name: str
    note: str = ""


def draw_scatter(scatter: Scatter, size: tuple[int, int]) -> Image.Image:
    """Return the plot, with a line where x and y agree.

    Args:
        scatter: What to show.
        size: Width and height of the picture in pixels.
    """
    large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    image = Image.new("RGB", large, BACKGROUND)
    plot = _draw_plot(scatter, (large[0] - _LEFT - _RIGHT, large[1] - _TOP - _BOTTOM))
    image.paste(plot, (_LEFT, _TOP))
    draw = ImageDraw.Draw(image)
    _draw_ticks(draw, scatter, plot.size)
    _draw_heading(draw, scatter, large[0])
    return image.resize(size, Image.Resampling.LANCZOS)


def _draw_plot(scatter: Scatter, size: tuple[int, int]) -> Image.Image:
    plot = Image.new("RGB", size, BAR)
    draw = ImageDraw.Draw(plot, "RGBA")
    width, height = size
    for tick in nice_ticks(scatter.low, scatter.high):
        share = _share(scatter, tick)
        x, y = _place(share, share, size)
        draw.line((x, 0, x, height), fill=GRID, width=2)
        draw.line((0, y, width, y), fill=GRID, width=2)
    draw.line((*_place(0, 0, size), *_place(1, 1, size)), fill=QUIET, width=3)
    for dots in scatter.dots:
        fill = (*dots.colour, _OPACITY)
        for x_value, y_value in zip(dots.x.tolist(), dots.y.tolist(), strict=True):
            x, y = _place(_share(scatter, x_value), _share(scatter, y_value), size)
            r = _DOT_RADIUS
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    return plot


def _share(scatter: Scatter, value: float) -> float:
    share = (value - scatter.low) / (scatter.high - scatter.low)
    return min(max(share, 0.0), 1.0)


def _place(x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
    """Return the pixel of a place in the unit square; dots at its edge are whole."""
    inset = 2 * _DOT_RADIUS
    inner = size[0] - 1 - 2 * inset, size[1] - 1 - 2 * inset
    return inset + x * inner[0], inset + (1 - y) * inner[1]


def _draw_ticks(
    draw: ImageDraw.ImageDraw, scatter: Scatter, size: tuple[int, int]
) -> None:
    font = load_font(_FONT_SIZE)
    for tick in nice_ticks(scatter.low, scatter.high):
        share = _share(scatter, tick)
        x, y = (round(pixel) for pixel in _place(share, share, size))
        text = f"{tick:g}"
        below = (_LEFT + x, _TOP + size[1] + 22)
        draw_text(draw, below, text, font, anchor="mm", colour=QUIET)
        beside = (_LEFT - 14, _TOP + y)
        draw_text(draw, beside, text, font, anchor="rm", colour=QUIET)
    place = (_LEFT + size[0] // 2, _TOP + size[1] + 72)
    draw_text(draw, place, scatter.x_name, font, anchor="mm", colour=TEXT)
    place = (_LEFT, _TOP - 24)
    draw_text(draw, place, scatter.y_name, font, anchor="lm", colour=TEXT)


def _draw_heading(draw: ImageDraw.ImageDraw, scatter: Scatter, width: int) -> None:
    font = load_font(_FONT_SIZE)
    title_font = load_font(_FONT_SIZE + 4)
    draw_text(draw, (_LEFT, 36), scatter.title, title_font)
    right = width - _RIGHT
    draw_text(draw, (right, 36), scatter.note, font, anchor="rm")
    for dots in reversed(scatter.dots):
        middle = _TOP - 24
        draw_text(draw, (right, middle), dots.name, font, anchor="rm", colour=QUIET)
        dot = right - text_width(dots.name, font) - 22
        r = _DOT_RADIUS + 2
        draw.ellipse((dot - r, middle - r, dot + r, middle + r), fill=dots.colour)
        right = dot - 40
