"""Learning curves: loss and validation Dice over the epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from lungcli.arrays import Rgb
from lungcli.pictures.charts import Chart, Line, Values, draw_chart
from lungcli.pictures.colours import BACKGROUND, TRAINING, VALIDATION
from lungcli.pictures.text import draw_text, load_font, readable, shorten

_CHART_SIZE = (640, 400)
_HEADING = 44  # height of the title's bar
_MARGIN = 24

_SLOW_START = 0.1  # share of the epochs whose Dice may lie below the chart
_SPIKES = 0.05  # share of the losses that may lie above it
_LEAST_SPAN = 0.02  # of the Dice axis: noise must not look like progress


def draw_curves(history: Mapping[str, Sequence[float]], *, title: str = "") -> Rgb:
    """Draw loss and validation Dice side by side, the best epoch marked.

    Args:
        history: Per epoch, from the first: `"loss"`, and `"val_loss"` and
            `"val_dice"` where there are validation cases. Other keys are not drawn.
            NaN leaves a gap.
        title: Above both charts, e.g. the name of the run.

    Returns:
        Picture of shape `(444, 1280, 3)`. Bad first epochs may lie outside the
        charts, so that the later ones can be read.
    """
    loss, val_loss, dice = _equally_long(history, ("loss", "val_loss", "val_dice"))
    best = int(np.nanargmax(dice)) + 1 if np.isfinite(dice).any() else None
    charts = _loss_chart(loss, val_loss, best), _dice_chart(dice, best)
    width, height = _CHART_SIZE
    picture = Image.new("RGB", (2 * width, _HEADING + height), BACKGROUND)
    font = load_font(20)
    line = shorten(readable(title), font, 2 * width - 2 * _MARGIN)
    draw_text(ImageDraw.Draw(picture), (_MARGIN, _HEADING // 2), line, font)
    for column, chart in enumerate(charts):
        picture.paste(draw_chart(chart, _CHART_SIZE), (column * width, _HEADING))
    return np.asarray(picture)


def _equally_long(
    history: Mapping[str, Sequence[float]], keys: Sequence[str]
) -> list[Values]:
    """Return the values of each key, NaN where there are none."""
    num_epochs = max(len(history.get(key, ())) for key in keys)
    curves = [np.full(num_epochs, np.nan) for _ in keys]
    for curve, key in zip(curves, keys, strict=True):
        values = history.get(key, ())
        curve[: len(values)] = values
    return curves


def _loss_chart(loss: Values, val_loss: Values, best: int | None) -> Chart:
    lines = [Line("training", loss, TRAINING)]
    if np.isfinite(val_loss).any():
        lines.append(Line("validation", val_loss, VALIDATION))
    return Chart(
        title="Loss",
        lines=tuple(lines),
        y_range=_loss_range(np.concatenate([loss, val_loss])),
        marked_epoch=best,
    )


def _dice_chart(dice: Values, best: int | None) -> Chart:
    note = "no validation cases"
    if best is not None:
        note = f"best {dice[best - 1]:.4f} in epoch {best}"
    return Chart(
        title="Validation Dice",
        lines=(Line("validation", dice, VALIDATION),),
        y_range=_dice_range(dice),
        note=note,
        marked_epoch=best,
    )


def _loss_range(values: Values) -> tuple[float, float]:
    """Return the values' range from 0, without the highest few."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low = min(0.0, float(finite.min()))
    high = float(np.quantile(finite, 1 - _SPIKES, method="higher"))
    return low, low + max(1e-6, 1.08 * (high - low))


def _dice_range(values: Values) -> tuple[float, float]:
    """Return a range that shows the later epochs well, never above 1."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    high = float(finite.max())
    low = float(np.quantile(finite, _SLOW_START, method="lower"))
    span = max(_LEAST_SPAN, high - low)
    low = max(0.0, high - 1.25 * span)
    return low, min(1.0, max(high + 0.1 * span, low + _LEAST_SPAN))
