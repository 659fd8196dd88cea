"""Drawn pictures that are no frontal chest, for training and measuring the gate.

Each kind is a function from a random generator to a gray picture of
`SIDE`×`SIDE` pixels.
"""

import string
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage

from lungcli.arrays import Gray

SIDE: Final = 128  # pixels
Draw = Callable[[np.random.Generator], Gray]


def blank(rng: np.random.Generator) -> Gray:
    """One gray level, nearly."""
    noise = rng.normal(0, rng.choice([0.0, 0.7, 3.0]), (SIDE, SIDE))
    return _to_gray(rng.uniform(0, 255) + noise)


def noise(rng: np.random.Generator) -> Gray:
    """Noise of any grain, at times spotted."""
    grain = ndimage.gaussian_filter(
        rng.normal(size=(SIDE, SIDE)), float(np.exp(rng.uniform(-1, 3.2))), mode="wrap"
    )
    grain = grain / (grain.std() + 1e-9)
    if rng.random() < 0.3:
        grain = np.sign(grain - rng.normal(0, 0.5)) * rng.uniform(0.5, 1.5)
    return _to_gray(rng.uniform(60, 190) + rng.uniform(20, 80) * grain)


def gradient(rng: np.random.Generator) -> Gray:
    """A ramp in some direction, straight or round."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x + np.sin(angle) * y
    if rng.random() < 0.5:
        ramp = np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1))
    return _to_gray(128 + rng.uniform(-120, 120) * ramp)


def stripes(rng: np.random.Generator) -> Gray:
    """Waves in one or two directions, at times symmetrical."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    if rng.random() < 0.5:
        x = np.abs(x)
    waves = np.sin(rng.uniform(2, 40) * x + rng.uniform(0, 6))
    waves = waves + rng.random() * np.sin(rng.uniform(2, 40) * y + rng.uniform(0, 6))
    return _to_gray(128 + rng.uniform(30, 100) * waves)


def blobs(rng: np.random.Generator) -> Gray:
    """Ellipses anywhere, sharp or soft."""
    picture = Image.new("L", (SIDE, SIDE), _level(rng))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 14)):
        draw.ellipse(_box(rng, 0.05, 0.6), fill=_level(rng))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 6))))


def text_page(rng: np.random.Generator) -> Gray:
    """Lines of letters on paper."""
    picture = Image.new("L", (SIDE, SIDE), int(rng.integers(200, 256)))
    draw = ImageDraw.Draw(picture)
    size = float(rng.uniform(4, 14))
    font = ImageFont.load_default(size=size)
    left = rng.uniform(2, 25)
    for top in np.arange(rng.uniform(2, 20), SIDE - 8, size * rng.uniform(1.1, 2)):
        if rng.random() < 0.9:
            draw.text((left, top), _words(rng, 40), fill=int(rng.integers(0, 90)),
                      font=font)  # fmt: skip
    if rng.random() < 0.3:
        draw.rectangle(_box(rng, 0.2, 0.5), fill=_level(rng))
    return np.asarray(picture)


def screenshot(rng: np.random.Generator) -> Gray:
    """Windows, bars, buttons and words."""
    picture = Image.new("L", (SIDE, SIDE), _level(rng))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(2, 6)):
        box = _box(rng, 0.3, 0.9)
        draw.rectangle(box, fill=_level(rng), outline=_level(rng))
        draw.rectangle((box[0], box[1], box[2], box[1] + 6), fill=_level(rng))
        for row in range(3):
            place = (box[0] + 4, box[1] + 10 + 9 * row)
            draw.text(place, _words(rng, 12), fill=_level(rng))
    draw.rectangle((0, 0, SIDE, rng.integers(4, 14)), fill=_level(rng))
    return np.asarray(picture)


def limb(rng: np.random.Generator) -> Gray:
    """One or two long bones in soft tissue, with or without a joint."""
    tissue, bone = _layers()
    width, lean = rng.uniform(16, 50), rng.uniform(-25, 25)
    top, bottom = (64 - lean, -10), (64 + lean, SIDE + 10)
    _thick(tissue[1], top, bottom, width)
    joint = rng.uniform(0.2, 0.8)
    for shift in rng.permutation([-0.35, 0.35])[: rng.integers(1, 3)] * width * 0.6:
        thick = width * rng.uniform(0.15, 0.35)
        _thick(bone[1], (top[0] + shift, top[1]), (bottom[0] + shift, bottom[1]), thick)
    if rng.random() < 0.6:
        x, y = 64 + lean * (2 * joint - 1), SIDE * joint
        reach = width * rng.uniform(0.3, 0.45)
        for sign in (-1.1, 1.1):
            middle = y + sign * reach
            bone[1].ellipse((x - reach * 1.2, middle - reach, x + reach * 1.2,
                             middle + reach), fill=255)  # fmt: skip
    return _radiograph(tissue[0], bone[0], rng)


def hand(rng: np.random.Generator) -> Gray:
    """Five fingers with phalanges, and a wrist."""
    tissue, bone = _layers()
    palm = np.array([64.0, 84.0]) + rng.normal(0, 4, 2)
    _thick(tissue[1], tuple(palm), (palm[0], SIDE + 10), rng.uniform(24, 34))
    tissue[1].ellipse((palm[0] - 24, palm[1] - 24, palm[0] + 24, palm[1] + 28),
                      fill=255)  # fmt: skip
    spread = rng.uniform(12, 22)
    for finger in range(5):
        angle = np.deg2rad(-90 + (finger - 2) * spread)
        way = np.array([np.cos(angle), np.sin(angle)])
        length = (52, 66, 72, 66, 50)[finger] * rng.uniform(0.9, 1.1)
        tip = palm + way * length
        _thick(tissue[1], tuple(palm + way * 15), tuple(tip), 11)
        for start, stop in ((0.15, 0.42), (0.46, 0.66), (0.7, 0.82), (0.86, 0.97)):
            _thick(bone[1], tuple(palm + way * length * start),
                   tuple(palm + way * length * stop), 5)  # fmt: skip
    for shift in (-6, 6):
        _thick(bone[1], (palm[0] + shift, 106), (palm[0] + shift, SIDE + 10), 8)
    return _radiograph(tissue[0], bone[0], rng)


def skull(rng: np.random.Generator) -> Gray:
    """A ring of bone with orbits, jaw and neck."""
    tissue, bone = _layers()
    across, down = rng.uniform(34, 50), rng.uniform(42, 54)
    _thick(tissue[1], (64, 70), (64, SIDE + 10), rng.uniform(30, 50))
    tissue[1].ellipse((61 - across, 57 - down, 67 + across, 63 + down), fill=255)
    bone[1].ellipse((64 - across, 60 - down, 64 + across, 60 + down), fill=230)
    inner = rng.uniform(3, 8)
    bone[1].ellipse((64 - across + inner, 60 - down + inner, 64 + across - inner,
                     60 + down - inner), fill=110)  # fmt: skip
    if rng.random() < 0.7:
        for side in (-1, 1):
            x = 64 + side * across * 0.4
            bone[1].ellipse((x - 10, 64, x + 10, 80), fill=20)
    bone[1].ellipse((50, 84, 78, 106), fill=int(rng.integers(60, 250)))
    return _radiograph(tissue[0], bone[0], rng)


def pelvis(rng: np.random.Generator) -> Gray:
    """A belly with spine, iliac wings and gas."""
    tissue, bone = _layers()
    wide = rng.uniform(48, 75)
    tissue[1].ellipse((64 - wide, -40, 64 + wide, SIDE + 40), fill=255)
    _thick(bone[1], (64, -10), (64, 80), rng.uniform(10, 16))
    for side in (-1, 1):
        x = 64 + side * rng.uniform(26, 34)
        bone[1].ellipse((x - 18, 52, x + 18, 96), fill=190)
        bone[1].ellipse((x - 12, 96, x + 12, 120), outline=200, width=5)
        _thick(bone[1], (x + side * 12, 108), (x + side * 24, SIDE + 10), 10)
    for _ in range(rng.integers(0, 6)):  # dark, among bright tissue
        tissue[1].ellipse(_box(rng, 0.05, 0.25), fill=int(rng.integers(60, 160)))
    return _radiograph(tissue[0], bone[0], rng)


KNOWN: Final[dict[str, Draw]] = {
    "blank": blank, "noise": noise, "gradient": gradient, "blobs": blobs,
    "text page": text_page, "drawn limb": limb, "drawn skull": skull,
}  # fmt: skip
UNKNOWN: Final[dict[str, Draw]] = {
    "stripes": stripes, "screenshot": screenshot, "drawn hand": hand,
    "drawn pelvis": pelvis,
}  # fmt: skip


def _layers() -> list[tuple[Image.Image, ImageDraw.ImageDraw]]:
    pictures = [Image.new("L", (SIDE, SIDE)) for _ in range(2)]
    return [(picture, ImageDraw.Draw(picture)) for picture in pictures]


def _thick(
    draw: ImageDraw.ImageDraw,
    start: tuple[float, ...],
    stop: tuple[float, ...],
    width: float,
) -> None:
    draw.line([*start, *stop], fill=255, width=max(1, round(width)))
    for x, y in (start, stop):
        half = width / 2
        draw.ellipse((x - half, y - half, x + half, y + half), fill=255)


def _radiograph(
    tissue: Image.Image, bone: Image.Image, rng: np.random.Generator
) -> Gray:
    """Return what an X-ray shows of soft tissue and bone on black."""
    soft = ndimage.gaussian_filter(np.asarray(tissue, float), rng.uniform(1, 6)) / 255
    hard = np.asarray(bone, float) / 255
    rim = hard - 0.6 * ndimage.gaussian_filter(hard, rng.uniform(1, 3))
    hard = ndimage.gaussian_filter(rim * 1.6, 0.6)
    film = rng.uniform(0.3, 0.8) * soft + rng.uniform(0.2, 0.6) * hard * (soft > 0.1)
    film = film + rng.normal(0, rng.uniform(0, 0.03), film.shape)
    return _to_gray(255 * np.clip(film, 0, 1) ** rng.uniform(0.6, 1.6))


def _box(
    rng: np.random.Generator, smallest: float, largest: float
) -> tuple[float, float, float, float]:
    width, height = rng.uniform(smallest, largest, 2) * SIDE
    left, top = rng.uniform(-0.1, 0.8, 2) * SIDE
    return left, top, left + width, top + height


def _level(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 256))


def _words(rng: np.random.Generator, count: int) -> str:
    letters = list(string.ascii_letters + "     ")
    return "".join(rng.choice(letters, count))


def _to_gray(values: np.ndarray) -> Gray:
    return np.clip(values, 0, 255).astype(np.uint8)
