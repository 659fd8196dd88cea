"""What stands below a picture: its colours, and the scale of a heat map."""

from typing import Final

from PIL import ImageDraw

from lungcli.pictures.colours import BLACK, QUIET
from lungcli.pictures.text import Font, draw_text, text_width
from lungcli.pictures.views import Legend, Scale

_SWATCH: Final = 0.75  # of the letters' height
_RAMP: Final = 0.4  # of the width; the rest is for its labels


def draw_legend(
    draw: ImageDraw.ImageDraw,
    centre: tuple[int, int],
    legend: Legend,
    *,
    font: Font,
    width: int,
) -> None:
    """Draw a row of swatches; where space is short the values go, then the names.

    Args:
        draw: The canvas.
        centre: Point `(x, y)` of the middle of the row.
        legend: What the colours mean.
        font: Of the names.
        width: Place in pixels.
    """
    swatch = max(3, round(_SWATCH * font.size))
    gap, spacing = max(2, swatch // 2), round(1.5 * swatch)
    choices = (
        [f"{key.name} {key.value}".rstrip() for key in legend],
        [key.name for key in legend],
        [""] * len(legend),
    )
    for texts in choices:
        widths = [
            swatch + (gap + text_width(text, font) if text else 0) for text in texts
        ]
        total = sum(widths) + spacing * (len(legend) - 1)
        if total <= width:
            break
    x, top = centre[0] - total // 2, centre[1] - swatch // 2
    for key, text, taken in zip(legend, texts, widths, strict=True):
        box = (x, top, x + swatch - 1, top + swatch - 1)
        draw.rectangle(
            box, fill=key.colour, outline=QUIET if key.colour == BLACK else None
        )
        draw_text(draw, (x + swatch + gap, centre[1]), text, font, colour=QUIET)
        x += taken + spacing


def draw_scale(
    draw: ImageDraw.ImageDraw,
    centre: tuple[int, int],
    scale: Scale,
    *,
    font: Font,
    width: int,
) -> None:
    """Draw a ramp of colours with a label at each end, as far as they fit.

    Args:
        draw: The canvas.
        centre: Point `(x, y)` of the middle of the ramp.
        scale: Its colours and labels.
        font: Of the labels.
        width: Place in pixels.
    """
    length, height = round(_RAMP * width), max(3, round(_SWATCH * font.size))
    left, top = centre[0] - length // 2, centre[1] - height // 2
    for x in range(length):
        colour = scale.colours[x * len(scale.colours) // length]
        draw.line((left + x, top, left + x, top + height - 1), fill=colour)
    gap = max(2, height // 2)
    for text, x, anchor in (
        (scale.low, left - gap, "rm"),
        (scale.high, left + length + gap, "lm"),
    ):
        if text_width(text, font) + gap <= (width - length) // 2:
            draw_text(draw, (x, centre[1]), text, font, anchor=anchor, colour=QUIET)
