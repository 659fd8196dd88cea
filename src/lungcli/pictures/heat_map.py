"""A heat map of doubt: where a network could not tell lung from what is no lung."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray, Rgb, is_lung
from lungcli.pictures.colours import BLACK, WHITE
from lungcli.pictures.frames import compose_frame
from lungcli.pictures.headings import Heading
from lungcli.pictures.overlay import (
    border,
    fit_picture,
    outline,
    structures_in,
    to_rgb,
)
from lungcli.pictures.panels import PanelCase
from lungcli.pictures.views import Key, Scale, View, outlines

_BEHIND: Final = 0.6  # brightness of the X-ray behind the heat
_PART: Final = (0.3, 0.95)  # of the colour map: both ends would vanish in the X-ray
_VISIBLE: Final = 0.25  # doubt from which its colour is as opaque as any
_OPACITY: Final = 0.9

Doubt = NDArray[np.float32]  # entropy of lung or not lung in bits, (height, width)


def draw_heat_map(case: PanelCase, doubt: Doubt, *, side: int = 512) -> Rgb:
    """Draw the outlines, and beside them where the network was in doubt.

    Args:
        case: What to show: both outlines on the X-ray, and thin ones over the heat.
        doubt: On the grid of the case's image, in [0, 1]: 0 where the network was sure,
            1 where lung and no lung were equally likely.
        side: Width and height of each of the two panels.

    Returns:
        Picture whose size depends on `side` alone.

    Raises:
        ValueError: If the doubt or a label map has another shape than the image.
    """
    if doubt.shape != case.image.shape:
        msg = f"doubt {doubt.shape} and image {case.image.shape} must have one shape."
        raise ValueError(msg)
    image, (predicted, reference) = fit_picture(
        case.image, (case.predicted, case.reference), side
    )
    heated = heat(image, _resize(doubt, image.shape))
    legend = []
    # one pixel: the doubt is greatest along these very lines
    for labels, colour, name in (
        (reference, WHITE, "gold standard"),
        (predicted, BLACK, "predicted"),
    ):
        if labels is not None:
            heated[border(is_lung(labels), 1)] = colour
            legend.append(Key(colour, name))
    outlined = outline(image, predicted, reference=reference)
    drawn = structures_in(predicted, reference)
    lines = outlines(drawn, reference=reference is not None)
    views = (
        View(title="Outlines", picture=outlined, legend=lines),
        View(title="Doubt", picture=heated, legend=tuple(legend), scale=_scale()),
    )
    numbers = ("Dice", case.scores.dice), ("doubt", mean_doubt(case, doubt))
    heading = Heading(title=case.title, note=case.note, numbers=numbers)
    return compose_frame(heading, views, side=side)


def mean_doubt(case: PanelCase, doubt: Doubt) -> float:
    """Return the summed doubt in bits per pixel of predicted lung; NaN without any."""
    predicted = case.predicted
    area = 0 if predicted is None else int(np.count_nonzero(is_lung(predicted)))
    return float(doubt.sum()) / area if area else float("nan")


def heat(image: Gray, doubt: Doubt) -> Rgb:
    """Lay the colours of doubt over a dimmed X-ray; where there is none it shows alone.

    Args:
        image: CXR, shape `(height, width)`.
        doubt: Of the same shape, in [0, 1].
    """
    levels = np.clip(np.rint(doubt * 255), 0, 255).astype(np.intp)
    colours = _shades()[levels]
    opacity = (_OPACITY * np.clip(doubt / _VISIBLE, 0, 1))[..., None]
    below = to_rgb(image, _BEHIND).astype(np.float32)
    blend: Rgb = np.rint(below + opacity * (colours - below)).astype(np.uint8)
    return blend


def _scale() -> Scale:
    """Return the colours as they look over an X-ray of middle gray."""
    gray = np.full((1, 256), 128, np.uint8)
    ramp = heat(gray, np.linspace(0, 1, 256, dtype=np.float32)[None])
    colours = tuple(tuple(colour) for colour in ramp[0].tolist())
    return Scale(colours, "sure", "undecided")


@lru_cache
def _shades() -> NDArray[np.float32]:
    """Return 256 colours, shape `(256, 3)`, of evenly rising lightness.

    References:
        Smith and van der Walt (2015), inferno,
        https://bids.github.io/colormap/
    """
    from matplotlib import colormaps  # noqa: PLC0415 - seconds, for this picture alone

    shades = colormaps["inferno"](np.linspace(*_PART, 256))[:, :3]
    return (255 * shades).astype(np.float32)


def _resize(doubt: Doubt, shape: tuple[int, ...]) -> Doubt:
    size = shape[1], shape[0]
    resized = Image.fromarray(doubt).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(resized)
