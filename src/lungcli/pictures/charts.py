"""Line charts drawn with Pillow: values per epoch, ticks, legend."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lungcli.pictures.colours import (
    BACKGROUND,
    BAR,
    GRID,
    QUIET,
    TEXT,
    WHITE,
    Colour,
)
from lungcli.pictures.text import draw_text, load_font, text_width

_OVERSAMPLING = 2  # drawn larger and reduced: Pillow's lines are not antialiased
_NUM_TICKS = 6

# before the reduction, in pixels
_FONT_SIZE = 26
_LEFT, _TOP, _RIGHT, _BOTTOM = 110, 70, 30, 90  # around the plot
_LINE_WIDTH = 5
_DOT_RADIUS = 6

Values = NDArray[np.float64]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Values of the epochs 1, 2, ...; NaN leaves a gap."""

    name: str
    values: Values
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What one chart shows.

    Attributes:
        title: Above the plot, on the left.
        note: Above the plot, on the right, before the legend.
        lines: Any number; a name is shown where there are several.
        y_range: Lowest and highest value shown; lines beyond are cut off.
        marked_epoch: Epoch with a vertical line through it.
    """

    title: str
    lines: tuple[Line, ...]
    y_range: tuple[float, float]
    note: str = ""
    marked_epoch: int | None = None


def draw_chart(chart: Chart, size: tuple[int, int]) -> Image.Image:
    """Return the chart as an antialiased picture of `size` (width, height)."""
    large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    image = Image.new("RGB", large, BACKGROUND)
    plot_size = (large[0] - _LEFT - _RIGHT, large[1] - _TOP - _BOTTOM)
    scale = _Scale(plot_size, _num_epochs(chart), chart.y_range)
    image.paste(_draw_plot(chart, scale), (_LEFT, _TOP))
    draw = ImageDraw.Draw(image)
    _draw_labels(draw, scale)
    _draw_heading(draw, chart, large[0])
    return image.resize(size, Image.Resampling.LANCZOS)


def nice_ticks(low: float, high: float, count: int = _NUM_TICKS) -> list[float]:
    """Return at most about `count` round numbers within `[low, high]`, in order.

    Steps are 1, 2 or 5 times a power of ten.

    Examples:
        >>> nice_ticks(0.0, 1.0)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        >>> nice_ticks(1, 60)
        [20.0, 40.0, 60.0]
    """
    rough = (high - low) / max(1, count - 1)
    if rough <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [round(number * step, 12) for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From epochs and values to pixels of the plot."""

    size: tuple[int, int]
    num_epochs: int
    y_range: tuple[float, float]

    def x(self, epoch: float) -> float:
        inset = 3 * _DOT_RADIUS  # whole dots at both ends
        if self.num_epochs == 1:
            return self.size[0] / 2
        share = (epoch - 1) / (self.num_epochs - 1)
        return inset + share * (self.size[0] - 1 - 2 * inset)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return (high - value) / (high - low) * (self.size[1] - 1)

    @property
    def epoch_ticks(self) -> list[int]:
        ticks = nice_ticks(1, self.num_epochs, 2 * _NUM_TICKS)
        return [round(tick) for tick in ticks if float(tick).is_integer()]


def _num_epochs(chart: Chart) -> int:
    return max([1, *(len(line.values) for line in chart.lines)])


def _draw_plot(chart: Chart, scale: _Scale) -> Image.Image:
    """Return grid and lines; being a picture of its own, it cuts them at its edge."""
    plot = Image.new("RGB", scale.size, BAR)
    draw = ImageDraw.Draw(plot)
    width, height = scale.size
    for tick in nice_ticks(*scale.y_range):
        y = scale.y(tick)
        draw.line((0, y, width, y), fill=GRID, width=2)
    if chart.marked_epoch is not None:
        x = scale.x(chart.marked_epoch)
        draw.line((x, 0, x, height), fill=QUIET, width=2)
    for line in chart.lines:
        for run in _runs(line.values, scale):
            draw.line(run, fill=line.colour, width=_LINE_WIDTH, joint="curve")
            for end in (run[0], run[-1]):  # round ends; a lone value is a dot
                draw.ellipse(_around(end, _DOT_RADIUS), fill=line.colour)
        if chart.marked_epoch is not None and len(chart.lines) == 1:
            best = chart.marked_epoch
            point = (scale.x(best), scale.y(float(line.values[best - 1])))
            draw.ellipse(_around(point, 2 * _DOT_RADIUS), outline=WHITE, width=4)
    return plot


def _around(centre: Point, radius: int) -> tuple[float, float, float, float]:
    x, y = centre
    return x - radius, y - radius, x + radius, y + radius


def _runs(values: Values, scale: _Scale) -> list[list[Point]]:
    """Return the points of each stretch of finite values."""
    runs: list[list[Point]] = []
    previous_finite = False
    for epoch, value in enumerate(values.tolist(), start=1):
        finite = math.isfinite(value)
        if finite and not previous_finite:
            runs.append([])
        if finite:
            runs[-1].append((scale.x(epoch), scale.y(value)))
        previous_finite = finite
    return runs


def _draw_labels(draw: ImageDraw.ImageDraw, scale: _Scale) -> None:
    font = load_font(_FONT_SIZE)
    width, height = scale.size
    ticks = nice_ticks(*scale.y_range)
    decimals = _decimals(ticks)
    for tick in ticks:
        place = (_LEFT - 14, _TOP + round(scale.y(tick)))
        text = f"{tick:.{decimals}f}"
        draw_text(draw, place, text, font, anchor="rm", colour=QUIET)
    for epoch in scale.epoch_ticks:
        place = (_LEFT + round(scale.x(epoch)), _TOP + height + 22)
        draw_text(draw, place, str(epoch), font, anchor="mm", colour=QUIET)
    place = (_LEFT + width // 2, _TOP + height + 62)
    draw_text(draw, place, "epoch", font, anchor="mm", colour=QUIET)


def _draw_heading(draw: ImageDraw.ImageDraw, chart: Chart, width: int) -> None:
    font = load_font(_FONT_SIZE)
    middle = _TOP // 2
    title_font = load_font(_FONT_SIZE + 4)
    draw_text(draw, (_LEFT, middle), chart.title, title_font, colour=TEXT)
    right = width - _RIGHT
    if len(chart.lines) > 1:
        for line in reversed(chart.lines):
            draw_text(draw, (right, middle), line.name, font, anchor="rm", colour=QUIET)
            end = right - text_width(line.name, font) - 12
            sample = (end - 40, middle, end, middle)
            draw.line(sample, fill=line.colour, width=_LINE_WIDTH)
            right = end - 40 - 36
    draw_text(draw, (right, middle), chart.note, font, anchor="rm", colour=TEXT)


def _decimals(ticks: list[float]) -> int:
    """Return how many decimals tell the ticks apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return max(0, -math.floor(math.log10(step) + 1e-6))
