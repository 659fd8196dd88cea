"""From attenuation to the gray levels of a film: exposure, noise, marker, frame."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from lungcli.arrays import LabelMap, Mask
from lungcli.phantom.canvas import Field, blur


def expose(
    attenuation: Field, lungs: Mask, centre: Mask, rng: np.random.Generator
) -> Field:
    """Return gray levels in [0, 1]: scatter, processing and a logistic film curve.

    The curve is set so that lungs and mediastinum get the levels that a
    radiographer would choose (automatic exposure control), within a broad range.

    Args:
        attenuation: Line integral through the patient, 0 in free air.
        lungs: Lung fields, to meter on.
        centre: The part of mediastinum and heart between them.
        rng: Source of the variation.
    """
    scatter = rng.uniform(0.04, 0.22)
    passed = np.exp(-attenuation)
    haze = blur(passed, 0.06)
    seen = -np.log((1 - scatter) * passed + scatter * haze)
    flatten = rng.uniform(0.0, 0.45)  # what digital systems do to show everything
    seen = seen - flatten * blur(seen, 0.05)
    dark, bright = rng.uniform(0.24, 0.55), rng.uniform(0.73, 0.86)
    crisp = rng.uniform(0.0, 0.9)
    seen = seen + crisp * (seen - blur(seen, 0.015))
    metered = (np.median(seen[lungs]), np.median(seen[centre]))
    targets = (_logit(dark), _logit(bright))
    gain = (targets[1] - targets[0]) / (metered[1] - metered[0])
    film = 1.0 / (1.0 + np.exp(-(targets[0] + gain * (seen - metered[0]))))
    black = float(film[attenuation < 0.02].mean()) if (attenuation < 0.02).any() else 0
    base = rng.uniform(0.5, 1.0) * min(black, 0.3)
    levels = np.clip((film - base) / (1.0 - base), 0.0, 1.0)
    return np.asarray(levels, dtype=np.float32)


def develop(film: Field, rng: np.random.Generator) -> Field:
    """Return the film with the detector's blur and the noise of few photons."""
    size = len(film)
    soft = blur(film, rng.uniform(0.3, 1.0) / 512)
    noise = rng.standard_normal((size, size), dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, 0.6) * 2.1
    strength = rng.uniform(0.003, 0.011)
    return np.asarray(soft + strength * (0.4 + soft) * noise, dtype=np.float32)


def mark(film: Field, rng: np.random.Generator) -> Field:
    """Return the film with a side marker: R on the picture's left, L on its right."""
    size = len(film)
    picture = Image.fromarray(film)
    side = rng.choice(["R", "L", ""], p=[0.45, 0.4, 0.15])
    x = rng.uniform(0.03, 0.13) if side == "R" else rng.uniform(0.82, 0.94)
    y = rng.uniform(0.02, 0.12)
    height = rng.uniform(0.035, 0.06)
    bright = rng.uniform(0.75, 1.0)
    draw = ImageDraw.Draw(picture)
    _write(draw, side, (x * size, y * size), height * size, bright)
    if rng.random() < 0.35:
        words = str(rng.choice(["PA", "AP", "ERECT", "PA ERECT", "PORTABLE"]))
        other = 0.80 if side == "R" else 0.04
        at = ((other + rng.uniform(0.0, 0.05)) * size, rng.uniform(0.02, 0.08) * size)
        _write(draw, words, at, 0.6 * height * size, bright, plate=rng.random() < 0.5)
    return np.asarray(picture, dtype=np.float32)


def _write(
    draw: ImageDraw.ImageDraw,
    words: str,
    at: tuple[float, float],
    height: float,
    level: float,
    plate: bool = False,
) -> None:
    font = ImageFont.load_default(size=max(height, 4.0))
    if plate:
        left, top, right, bottom = draw.textbbox(at, words, font=font)
        edge = 0.15 * height
        draw.rectangle(
            (left - edge, top - edge, right + edge, bottom + edge), fill=level
        )
        level = 0.0
    draw.text(at, words, fill=level, font=font)


def collimate(film: Field, labels: LabelMap, rng: np.random.Generator) -> Field:
    """Return the film, black where the collimator's blades shut out the beam.

    The blades are a little askew, and never cut a lung.
    """
    size = len(film)
    rows, columns = np.nonzero(labels)
    room = (
        rows.min(), size - 1 - rows.max(), columns.min(), size - 1 - columns.max()
    )  # fmt: skip
    shares = np.where(rng.random(4) < [0.25, 0.5, 0.25, 0.25], rng.random(4) ** 1.5, 0)
    most = (0.04, 0.22, 0.06, 0.06)
    tilt = np.clip(rng.normal(0.0, 0.012, 4), -0.03, 0.03)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    distances = (y + tilt[0] * x, 1 - y + tilt[1] * x, x + tilt[2] * y,
                 1 - x + tilt[3] * y)  # fmt: skip
    for share, limit, free, distance in zip(shares, most, room, distances, strict=True):
        depth = share * min(
            limit, float(free) / size - 0.04
        )  # the tilt takes up to 0.03
        if depth > 0.004:
            film = film * np.clip((distance - depth) * 400, 0, 1)
    return film


def _logit(level: float) -> float:
    return float(np.log(level / (1.0 - level)))
