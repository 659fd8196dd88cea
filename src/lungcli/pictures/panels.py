"""The panel Predicted | Gold Std | Difference: one case, one frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lungcli.arrays import Gray, LabelMap, Rgb
from lungcli.pictures.colours import BACKGROUND, BAR, BLACK, QUIET, TEXT
from lungcli.pictures.overlay import fit_picture
from lungcli.pictures.text import (
    Font,
    draw_text,
    load_font,
    readable,
    shorten,
    text_width,
)
from lungcli.pictures.views import PANELS, Legend, View, compose_view


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCase:
    """What one frame shows; all arrays on one grid of any size.

    Attributes:
        title: Name of the case.
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model; None if there is none.
        reference: Label map of the expert; None if there is none.
        dice: Of both lungs together; None or NaN shows no number. So does `iou`.
        iou: Intersection over union (Jaccard).
    """

    title: str
    image: Gray
    predicted: LabelMap | None
    reference: LabelMap | None
    dice: float | None = None
    iou: float | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Lengths in pixels, all from the side of a panel and their number."""

    side: int
    num_panels: int

    @property
    def font(self) -> Font:
        return load_font(max(8, round(self.side / 25)))

    @property
    def small_font(self) -> Font:
        return load_font(max(8, round(self.side / 30)))

    @property
    def bar(self) -> int:
        return max(13, round(self.side / 14))

    @property
    def gap(self) -> int:
        return max(2, self.side // 64)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frame."""
        width = self.num_panels * (self.side + self.gap) - self.gap
        return width, self.side + 3 * self.bar

    def panel_left(self, index: int) -> int:
        return index * (self.side + self.gap)


def draw_frame(
    case: PanelCase, *, side: int = 512, panels: Sequence[str] = PANELS
) -> Rgb:
    """Draw a case as a row of panels with its name, scores and legends.

    In Predicted and Gold Std the right lung is sky blue and the left lung orange; in
    Difference, over both lungs together, agreed pixels are blue, missed ones (in the
    gold standard only) vermilion and extra ones (predicted only) yellow. R and L are
    the patient's sides.

    Args:
        case: What to show. Without a reference, the X-ray stands in the place of Gold
            Std and Difference is left empty; without a prediction likewise.
        side: Width and height of each panel; other aspects are letter-boxed.
        panels: Which of `PANELS` to draw, from left to right.

    Returns:
        Picture whose size depends on `side` and the number of panels alone.

    Raises:
        ValueError: If a panel is unknown, or a label map has another shape than the
            image.
    """
    if not panels or not set(panels) <= set(PANELS):
        msg = f"panels {list(panels)}: choose one or more of {', '.join(PANELS)}."
        raise ValueError(msg)
    layout = _Layout(side, len(panels))
    frame = Image.new("RGB", layout.size, BACKGROUND)
    draw = ImageDraw.Draw(frame)
    _draw_heading(draw, layout, case)
    image, (predicted, reference) = fit_picture(
        case.image, (case.predicted, case.reference), side
    )
    for index, name in enumerate(panels):
        view = compose_view(name, image, predicted, reference)
        _draw_panel(frame, layout, layout.panel_left(index), view)
    return np.asarray(frame)


def _draw_heading(draw: ImageDraw.ImageDraw, layout: _Layout, case: PanelCase) -> None:
    """Name the case on the left and give its scores on the right."""
    scores = " · ".join(
        f"{name} {value:.3f}"
        for name, value in (("Dice", case.dice), ("IoU", case.iou))
        if value is not None and math.isfinite(value)
    )
    width, margin, middle = layout.size[0], 2 * layout.gap, layout.bar // 2
    place, font = width - 2 * margin, layout.font
    while scores and text_width(scores, font) > place // 2:  # never a part of a number
        scores = scores.rpartition(" · ")[0]
    free = place - (text_width(scores, font) + 2 * margin if scores else 0)
    title = shorten(readable(case.title), font, free)
    draw_text(draw, (margin, middle), title, font)
    draw_text(draw, (width - margin, middle), scores, font, anchor="rm")


def _draw_panel(frame: Image.Image, layout: _Layout, left: int, view: View) -> None:
    draw = ImageDraw.Draw(frame)
    side, bar = layout.side, layout.bar
    top, centre = 2 * bar, left + side // 2
    draw.rectangle((left, bar, left + side - 1, top - 1), fill=BAR)
    title = shorten(view.title, layout.small_font, side)
    draw_text(draw, (centre, bar + bar // 2), title, layout.small_font, anchor="mm")
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=BLACK)
    below = (centre, top + side + bar // 2)
    if view.picture is None:
        draw_text(
            draw,
            (centre, top + side // 2),
            shorten(view.note, layout.font, side),
            layout.font,
            anchor="mm",
            colour=QUIET,
        )
        return
    _paste_picture(frame, layout, (left, top), view.picture)
    if view.note:
        note = shorten(view.note, layout.small_font, side)
        draw_text(draw, below, note, layout.small_font, anchor="mm", colour=QUIET)
    _draw_legend(draw, layout, below, view.legend)


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
        ("R", left + layout.gap, "ls"),
        ("L", left + width - layout.gap, "rs"),
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


def _draw_legend(
    draw: ImageDraw.ImageDraw, layout: _Layout, centre: tuple[int, int], legend: Legend
) -> None:
    """Draw a row of colour swatches with their names; names go where space is short."""
    font, swatch, gap = layout.small_font, layout.bar // 3, layout.gap
    widths = [swatch + gap + text_width(text, font) for _, text in legend]
    spacing = 3 * gap
    named = sum(widths) + spacing * (len(legend) - 1) <= layout.side
    if not named:
        widths = [swatch] * len(legend)
    x = centre[0] - (sum(widths) + spacing * (len(legend) - 1)) // 2
    top = centre[1] - swatch // 2
    for (colour, text), width in zip(legend, widths, strict=True):
        draw.rectangle((x, top, x + swatch - 1, top + swatch - 1), fill=colour)
        if named:
            draw_text(draw, (x + swatch + gap, centre[1]), text, font, colour=QUIET)
        x += width + spacing
