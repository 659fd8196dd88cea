"""What each panel shows: structures in colours, or where two label maps differ."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from lungcli.anatomy import Structure
from lungcli.arrays import Gray, LabelMap, Rgb, is_lung, where_known
from lungcli.pictures.colours import (
    AGREED,
    EXTRA,
    MISSED,
    WHITE,
    Colour,
)
from lungcli.pictures.overlay import (
    draw_borders,
    line_width,
    structures_in,
    tint,
    to_rgb,
)

PANELS: Final = ("predicted", "gold", "difference")


class Key(NamedTuple):
    """One entry of a legend."""

    colour: Colour
    name: str
    value: str = ""  # left out where space is short


Legend = tuple[Key, ...]


class Scale(NamedTuple):
    """What the colours of a heat map mean."""

    colours: tuple[Colour, ...]  # from the lowest value to the highest
    low: str
    high: str


_BEHIND = 0.6  # brightness of the X-ray behind masks
_OPACITY = 0.45
_AGREED_OPACITY = 0.45
_ERROR_OPACITY = 0.8  # errors must be seen first, and the anatomy through them

_NO_REFERENCE = "no gold standard"
_NO_PREDICTION = "no prediction"


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelScores:
    """What a case scored; NaN, where undefined, shows no number.

    Attributes:
        dice: Of both lungs together, in [0, 1].
        iou: Intersection over union (Jaccard), likewise.
        dice_of: Of each structure, by its key.
        missed: Pixels in the reference only, as a share of the reference.
        extra: Predicted pixels outside the reference, as a share of the reference.
    """

    dice: float = math.nan
    iou: float = math.nan
    dice_of: Mapping[str, float] = field(default_factory=dict)
    missed: float = math.nan
    extra: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One picture with what stands above and below it.

    Attributes:
        title: Above the picture.
        picture: Shape `(height, width, 3)`; None leaves the place empty.
        legend: Colours and their names.
        note: Why there is no picture, or no mask on it.
        scale: What the shades of a heat map mean.
    """

    title: str
    picture: Rgb | None
    legend: Legend = ()
    note: str = ""
    scale: Scale | None = None


def outlines(structures: Sequence[Structure], *, reference: bool) -> Legend:
    """Return what the lines of `overlay.outline` mean.

    Args:
        structures: Those that are drawn.
        reference: Whether an expert's lines are among them.
    """
    gold = Key(WHITE, "gold standard", "(dashed, where it differs)")
    lines = [Key(each.colour, each.name) for each in structures]
    return (*lines, *([gold] if reference else []))


def compose_view(
    name: str,
    image: Gray,
    predicted: LabelMap | None,
    reference: LabelMap | None,
    *,
    scores: PanelScores | None = None,
) -> View:
    """Return what one of `PANELS` shows.

    Args:
        name: One of `PANELS`.
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model, same shape, if there is one.
        reference: Label map of the expert, same shape, if there is one.
        scores: For the legends of Predicted (Dice of each structure) and Difference
            (shares missed and extra).
    """
    scores = scores or PanelScores()
    if name == "predicted":
        return _structures(
            "Predicted", image, predicted, missing=_NO_PREDICTION, dice=scores.dice_of
        )
    if name == "gold":
        return _structures("Gold Std", image, reference, missing=_NO_REFERENCE)
    if predicted is None or reference is None:
        note = _NO_PREDICTION if predicted is None else _NO_REFERENCE
        return View(title="Difference", picture=None, note=note)
    legend = (
        Key(AGREED, "agreed"),
        Key(MISSED, "missed", _percent(scores.missed)),
        Key(EXTRA, "extra", _percent(scores.extra)),
    )
    picture = difference_picture(image, predicted, reference)
    return View(title="Difference", picture=picture, legend=legend)


def _structures(
    title: str,
    image: Gray,
    labels: LabelMap | None,
    *,
    missing: str,
    dice: Mapping[str, float] = MappingProxyType({}),
) -> View:
    if labels is None:
        return View(title="X-ray", picture=to_rgb(image), note=missing)
    picture = to_rgb(image, _BEHIND)
    structures = structures_in(labels)
    for each in structures:
        tint(picture, labels == each.label, each.colour, _OPACITY)
    draw_borders(picture, labels, line_width(max(image.shape)))
    legend = [
        Key(each.colour, each.name, _number("Dice", dice.get(each.key, math.nan)))
        for each in structures
    ]
    return View(title=title, picture=picture, legend=tuple(legend))


def _number(name: str, value: float) -> str:
    return f"{name} {value:.3f}" if math.isfinite(value) else ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else ""


def difference_picture(image: Gray, predicted: LabelMap, reference: LabelMap) -> Rgb:
    """Colour where two label maps agree and differ, the X-ray dimly behind.

    Both lungs count together: a lung of the wrong side is agreed lung. What lies where
    the reference says that nobody knows is not coloured.

    Args:
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model, same shape.
        reference: Label map of the expert, same shape.

    Returns:
        Picture of shape `(height, width, 3)`.
    """
    picture = to_rgb(image, _BEHIND)
    found = is_lung(where_known(predicted, reference))
    true = is_lung(reference)
    tint(picture, found & true, AGREED, _AGREED_OPACITY)
    tint(picture, true & ~found, MISSED, _ERROR_OPACITY)
    tint(picture, found & ~true, EXTRA, _ERROR_OPACITY)
    return picture
