"""One frame of a film: a heading, and panels with their titles and legends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lungcli.anatomy import LEFT_LUNG, RIGHT_LUNG
from lungcli.arrays import Rgb
from lungcli.pictures.colours import BACKGROUND, BAR, BLACK, QUIET, TEXT
from lungcli.pictures.headings import Heading, draw_heading
from lungcli.pictures.legends import draw_legend, draw_scale
from lungcli.pictures.text import Font, draw_text, load_font, shorten
from lungcli.pictures.views import View


@dataclass(frozen=True, slots=True)
class _Layout:
    """Lengths in pixels, all from the side of a panel and what there is to draw.

    Letters do not shrink as fast as the panels: at 256 pixels they must be readable.
    """

    side: int
    num_panels: int
    num_rows_below: int

    @property
    def font(self) -> Font:
        return load_font(round(5 + self.side / 32))

    @property
    def small_font(self) -> Font:
        return load_font(round(4.5 + self.side / 40))

    @property
    def bar(self) -> int:
        return round(9 + self.side / 18)

    @property
    def gap(self) -> int:
        return max(2, self.side // 64)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frame."""
        width = self.num_panels * (self.side + self.gap) - self.gap
        return width, self.side + (2 + self.num_rows_below) * self.bar

    def panel_left(self, index: int) -> int:
        return index * (self.side + self.gap)


def compose_frame(heading: Heading, views: Sequence[View], *, side: int) -> Rgb:
    """Draw views side by side under one heading.

    Args:
        heading: Above all panels.
        views: From left to right; pictures of at most `side` pixels.
        side: Width and height of each panel; smaller pictures are letter-boxed.

    Returns:
        Picture whose size depends on `side`, the number of views and whether one of
        them has a scale.
    """
    rows_below = 2 if any(view.scale for view in views) else 1
    layout = _Layout(side, len(views), rows_below)
    frame = Image.new("RGB", layout.size, BACKGROUND)
    box = (2 * layout.gap, 0, layout.size[0] - 2 * layout.gap, layout.bar)
    draw_heading(ImageDraw.Draw(frame), box, heading, layout.font)
    for index, view in enumerate(views):
        _draw_panel(frame, layout, layout.panel_left(index), view)
    return np.asarray(frame)


def _draw_panel(frame: Image.Image, layout: _Layout, left: int, view: View) -> None:
    draw = ImageDraw.Draw(frame)
    side, bar, font = layout.side, layout.bar, layout.small_font
    top, centre = 2 * bar, left + side // 2
    draw.rectangle((left, bar, left + side - 1, top - 1), fill=BAR)
    title = shorten(view.title, font, side)
    draw_text(draw, (centre, bar + bar // 2), title, font, anchor="mm")
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=BLACK)
    below = (centre, top + side + bar // 2)
    if view.picture is not None:
        _paste_picture(frame, layout, (left, top), view.picture)
        note, place, size = view.note, below, font
    else:
        note, place, size = view.note, (centre, top + side // 2), layout.font
    line = shorten(note, size, side)
    draw_text(draw, place, line, size, anchor="mm", colour=QUIET)
    draw_legend(draw, below, view.legend, font=font, width=side)
    if view.scale is not None:
        beneath = (centre, below[1] + bar)
        draw_scale(draw, beneath, view.scale, font=font, width=side)


def _paste_picture(
    frame: Image.Image, layout: _Layout, corner: tuple[int, int], picture: Rgb
) -> None:
    """Centre the picture in its square and mark the patient's sides.

    The letters stand in the lower corners: the upper ones often hold the markers of
    the film itself.
    """
    height, width = picture.shape[:2]
    left = corner[0] + (layout.side - width) // 2
    top = corner[1] + (layout.side - height) // 2
    frame.paste(Image.fromarray(picture), (left, top))
    draw = ImageDraw.Draw(frame)
    for letter, x, anchor in (
        (RIGHT_LUNG.mark, left + layout.gap, "ls"),
        (LEFT_LUNG.mark, left + width - layout.gap, "rs"),
    ):
        draw.text(
            (x, top + height - layout.gap),
            letter,
            fill=TEXT,
            font=layout.font,
            anchor=anchor,
            stroke_width=max(1, layout.side // 256),
            stroke_fill=BLACK,
        )
