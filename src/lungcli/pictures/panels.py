"""The panel Predicted | Gold Std | Difference: one case, one frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lungcli.arrays import Gray, LabelMap, Rgb
from lungcli.pictures.frames import compose_frame
from lungcli.pictures.headings import Heading
from lungcli.pictures.overlay import fit_picture, outline
from lungcli.pictures.views import PANELS, PanelScores, compose_view


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCase:
    """What one frame shows; all arrays on one grid of any size.

    Attributes:
        title: Name of the case.
        image: CXR, shape `(height, width)`.
        predicted: Label map of the model; None if there is none.
        reference: Label map of the expert; None if there is none.
        scores: What is known of them.
        note: Beside the title where there is space, e.g. the data set.
    """

    title: str
    image: Gray
    predicted: LabelMap | None
    reference: LabelMap | None
    scores: PanelScores = field(default_factory=PanelScores)
    note: str = ""


def draw_frame(
    case: PanelCase,
    *,
    side: int = 512,
    panels: Sequence[str] = PANELS,
    place: tuple[int, int] | None = None,
) -> Rgb:
    """Draw a case as a row of panels with its name, scores and legends.

    In Predicted and Gold Std each structure has its colour of `anatomy`; in
    Difference, over both lungs together, agreed pixels are blue, missed ones (in the
    gold standard only) vermilion and extra ones (predicted only) yellow. R and L are
    the patient's sides.

    Args:
        case: What to show. Without a reference, the X-ray stands in the place of Gold
            Std and Difference is left empty; without a prediction likewise.
        side: Width and height of each panel; other aspects are letter-boxed.
        panels: Which of `PANELS` to draw, from left to right.
        place: Of the frame in its film and how many there are: `(3, 14)` is written
            as 3/14.

    Returns:
        Picture whose size depends on `side` and the number of panels alone.

    Raises:
        ValueError: If a panel is unknown, or a label map has another shape than the
            image.
    """
    if not panels or not set(panels) <= set(PANELS):
        msg = f"panels {list(panels)}: choose one or more of {', '.join(PANELS)}."
        raise ValueError(msg)
    image, (predicted, reference) = fit_picture(
        case.image, (case.predicted, case.reference), side
    )
    views = [
        compose_view(name, image, predicted, reference, scores=case.scores)
        for name in panels
    ]
    heading = Heading(
        title=case.title,
        note=case.note,
        numbers=(("Dice", case.scores.dice), ("IoU", case.scores.iou)),
        place=place,
    )
    return compose_frame(heading, views, side=side)


def draw_overlay(case: PanelCase, *, side: int = 512) -> Rgb:
    """Draw the X-ray with all outlines and nothing else, as `overlay.outline` does.

    Args:
        case: What to show.
        side: Longer side of the picture in pixels.

    Returns:
        Picture of the case's aspect.
    """
    image, (predicted, reference) = fit_picture(
        case.image, (case.predicted, case.reference), side
    )
    return outline(image, predicted, reference=reference)
