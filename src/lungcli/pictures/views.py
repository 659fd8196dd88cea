"""What each panel shows: lungs in two colours, or where two label maps differ."""

from dataclasses import dataclass
from typing import Final

from lungcli.arrays import BACKGROUND, Gray, LabelMap, Rgb
from lungcli.pictures.colours import (
    AGREED,
    EXTRA,
    LEFT_LUNG,
    LUNGS,
    MISSED,
    RIGHT_LUNG,
    Colour,
)
from lungcli.pictures.overlay import draw_borders, line_width, tint, to_rgb

PANELS: Final = ("predicted", "gold", "difference")

Legend = tuple[tuple[Colour, str], ...]

_BEHIND = 0.6  # brightness of the X-ray behind masks
_LUNG_OPACITY = 0.45
_AGREED_OPACITY = 0.45
_ERROR_OPACITY = 0.8  # errors must be seen first, and the anatomy through them

_NO_REFERENCE = "no gold standard"
_NO_PREDICTION = "no prediction"

_LUNG_LEGEND: Legend = ((RIGHT_LUNG, "right lung"), (LEFT_LUNG, "left lung"))
_DIFFERENCE_LEGEND: Legend = (
    (AGREED, "agreed"),
    (MISSED, "missed"),
    (EXTRA, "extra"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One picture with what stands above and below it.

    Attributes:
        title: Above the picture.
        picture: Shape `(height, width, 3)`; None leaves the place empty.
        legend: Colours and their names.
        note: Why there is no picture, or no mask on it.
    """

    title: str
    picture: Rgb | None
    legend: Legend = ()
    note: str = ""


def compose_view(
    name: str, image: Gray, predicted: LabelMap | None, reference: LabelMap | None
) -> View:
    """Return what one of `PANELS` shows.

    Args:
        name: One of `PANELS`.
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model, same shape, if there is one.
        reference: Label map of the expert, same shape, if there is one.
    """
    if name == "predicted":
        return _lungs("Predicted", image, predicted, _NO_PREDICTION)
    if name == "gold":
        return _lungs("Gold Std", image, reference, _NO_REFERENCE)
    if predicted is None or reference is None:
        note = _NO_PREDICTION if predicted is None else _NO_REFERENCE
        return View(title="Difference", picture=None, note=note)
    return View(
        title="Difference",
        picture=difference_picture(image, predicted, reference),
        legend=_DIFFERENCE_LEGEND,
    )


def _lungs(title: str, image: Gray, labels: LabelMap | None, missing: str) -> View:
    if labels is None:
        return View(title="X-ray", picture=to_rgb(image), note=missing)
    picture = to_rgb(image, _BEHIND)
    for lung, colour in LUNGS.items():
        tint(picture, labels == lung, colour, _LUNG_OPACITY)
    draw_borders(picture, labels, line_width(max(image.shape)))
    return View(title=title, picture=picture, legend=_LUNG_LEGEND)


def difference_picture(image: Gray, predicted: LabelMap, reference: LabelMap) -> Rgb:
    """Colour where two label maps agree and differ, the X-ray dimly behind.

    Both lungs count together: a lung of the wrong side is agreed lung.

    Args:
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model, same shape.
        reference: Label map of the expert, same shape.

    Returns:
        Picture of shape `(height, width, 3)`.
    """
    picture = to_rgb(image, _BEHIND)
    found, true = predicted != BACKGROUND, reference != BACKGROUND
    tint(picture, found & true, AGREED, _AGREED_OPACITY)
    tint(picture, true & ~found, MISSED, _ERROR_OPACITY)
    tint(picture, found & ~true, EXTRA, _ERROR_OPACITY)
    return picture
