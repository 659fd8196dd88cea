"""Bones: ribs as tilted loops seen from the front, clavicles, shoulders, spine."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.anatomy import SIDES, Habitus, Outlines
from lungcli.phantom.canvas import Canvas, Field, Placement
from lungcli.phantom.curves import Points, disc, smooth

_CHEST_DEPTH = 0.26  # half the way from spine to sternum
_MARROW = 0.62  # a bone's inside is brighter than flesh and darker than its cortex


@dataclass(frozen=True, slots=True, kw_only=True)
class Rib:
    """One rib: its projected centre line and what a ray meets along it.

    Attributes:
        points: From the spine round the side to the costal cartilage, `(n, 2)`.
        widths: In the patient's frame, `(n,)`.
        thickness: Relative to a rib seen face on, `(n,)`.
        turn: Index of the station where it leaves the back for the front.
    """

    points: Points
    widths: NDArray[np.float64]
    thickness: NDArray[np.float64]
    turn: int


def draw_bones(
    habitus: Habitus,
    outlines: Outlines,
    canvas_of: tuple[int, Placement],
    rng: np.random.Generator,
) -> Field:
    """Return the thickness of bone; 1 is a rib's cortex seen face on.

    Args:
        habitus: The patient's build.
        outlines: The ribs follow the cavities' walls.
        canvas_of: Side of the picture in pixels, and the patient's placement.
        rng: Source of the variation.
    """
    ribs = [
        rib for side in SIDES for rib in _ribs(habitus, outlines.cavities[side], rng)
    ]
    total = _ribs_of_the_back(ribs, Canvas(*canvas_of))
    total += 0.8 * _ribs_of_the_front(ribs, Canvas(*canvas_of))
    total += _clavicles(habitus, Canvas(*canvas_of), rng)
    total += _shoulders(habitus, outlines, Canvas(*canvas_of), rng)
    total += _spine(habitus, Canvas(*canvas_of), rng)
    return total


def _ribs(habitus: Habitus, cavity: Points, rng: np.random.Generator) -> list[Rib]:
    sign = float(np.sign(cavity[:, 0].sum()))
    spacing = rng.normal(0.092, 0.003) * habitus.height
    slope = rng.normal(1.0, 0.15)
    width = rng.normal(0.0175, 0.0015)
    first = habitus.apex - 0.004 * habitus.height + rng.normal(0.0, 0.004)
    wall = cavity[:-2] * np.array([sign, 1.0])
    lowest = wall[int(np.argmin(wall[:, 1])) :]
    ribs = []
    for number in range(11):
        head = first + spacing * (number + 0.3 * rng.normal(0.0, 0.12))
        drop = habitus.height * slope * (0.10 + 0.25 * min(number / 6.0, 1.0))
        side_y = head + 0.5 * drop
        across = float(np.interp(side_y, lowest[:, 1], lowest[:, 0])) + 0.004
        loop = _loop(head, across, drop, number)
        jitter = rng.normal(0.0, 0.0012, 2)
        loop_points = smooth(loop[::4] + jitter, len(loop)) * np.array([sign, 1.0])
        ribs.append(_rib(loop_points, width * rng.normal(1.0, 0.06), number))
    return ribs


def _loop(head: float, across: float, drop: float, number: int) -> Points:
    """Return a rib on the patient's left, 49 points from the spine to its end."""
    end = 2.0 + 0.12 * min(number, 5)
    angle = np.linspace(0.0, end, 49)
    inner = 0.03
    x = inner + (across - inner) * np.sin(angle) ** 0.72
    arch = 0.16 * drop * np.sin(2.0 * angle)
    y = head + 0.5 * drop * (1.0 - np.cos(angle)) - arch
    return np.stack([x, y], axis=1)


def _rib(points: Points, width: float, number: int) -> Rib:
    angle = np.linspace(0.0, 2.0 + 0.12 * min(number, 5), len(points))
    flat = np.linalg.norm(np.gradient(points, axis=0), axis=1)
    deep = np.abs(np.gradient(_CHEST_DEPTH * np.cos(angle)))
    along_ray = np.sqrt(1.0 + (deep / np.maximum(flat, 1e-6)) ** 2)
    fade = np.clip((angle[-1] - angle) / 0.45, 0.0, 1.0)  # cartilage casts no shadow
    thickness = np.clip(along_ray / 1.3, 0.75, 1.25) * fade
    front = np.clip((angle - 1.3) / 0.8, 0.0, 1.0)
    widths = width * (0.92 + 0.35 * front + 0.25 * np.exp(-angle / 0.08))
    return Rib(
        points=points,
        widths=widths,
        thickness=thickness,
        turn=int(np.searchsorted(angle, 0.5 * np.pi)),
    )


def _ribs_of_the_back(ribs: list[Rib], canvas: Canvas) -> Field:
    for rib in ribs:
        _bone(canvas, rib, slice(0, rib.turn + 1))
    return canvas.field()


def _ribs_of_the_front(ribs: list[Rib], canvas: Canvas) -> Field:
    for rib in ribs[:9] + ribs[11:20]:
        _bone(canvas, rib, slice(rib.turn, None))
    return canvas.field()


def _bone(canvas: Canvas, rib: Rib, part: slice) -> None:
    points, widths = rib.points[part], rib.widths[part]
    canvas.ribbon(points, widths, rib.thickness[part])
    canvas.ribbon(points, 0.66 * widths, _MARROW * rib.thickness[part])


def _tube(
    canvas: Canvas, points: Points, widths: list[float], thickness: float
) -> None:
    along = np.linspace(0.0, 1.0, len(points))
    wide = np.interp(along, np.linspace(0.0, 1.0, len(widths)), widths)
    full = np.full(len(points), thickness)
    canvas.ribbon(points, wide, full)
    canvas.ribbon(points, 0.62 * wide, _MARROW * full)


def _clavicles(habitus: Habitus, canvas: Canvas, rng: np.random.Generator) -> Field:
    rise = rng.normal(0.082, 0.02)
    level = habitus.apex + rng.normal(0.13, 0.015)
    for sign in (-1.0, 1.0):
        tilt = rng.normal(0.0, 0.006)
        reach = habitus.half_width + 0.035
        axis = smooth(
            [
                (0.03, level + tilt), (0.085, level - 0.012 + tilt),
                (0.5 * reach, level - 0.75 * rise), (0.78 * reach, level - 1.15 * rise),
                (reach, level - rise),
            ],
            50,
        )  # fmt: skip
        widths = [0.034, 0.025, 0.020, 0.020, 0.022, 0.026]
        _tube(canvas, axis * np.array([sign, 1.0]), widths, 1.3)
    return canvas.field()


def _shoulders(
    habitus: Habitus, outlines: Outlines, canvas: Canvas, rng: np.random.Generator
) -> Field:
    turned_out = rng.uniform(-0.02, 0.05)  # arms forward move the blades off the lungs
    top = habitus.apex
    wide = habitus.half_width + 0.3 * habitus.flesh
    for side, sign in ((RIGHT, -1.0), (LEFT, 1.0)):
        mirror = np.array([sign, 1.0])
        joint = np.array([wide + 0.055, top + 0.085 + rng.normal(0.0, 0.006)])
        x = wide - 0.06 + turned_out
        blade = smooth(
            [
                (x - 0.04, top + 0.035), (x - 0.035, top + 0.14),
                (x + 0.0, top + 0.27), (x + 0.025, top + 0.335),
                (x + 0.045, top + 0.30), (x + 0.06, top + 0.2),
                (x + 0.085, top + 0.12), (x + 0.075, top + 0.06),
                (x + 0.02, top + 0.035), (x - 0.04, top + 0.035),
            ],
            70,
        )  # fmt: skip
        canvas.polygon(blade * mirror, 0.45)
        canvas.line(blade * mirror, 0.006, 0.85)
        spine = smooth([(x - 0.02, top + 0.10), (x + 0.04, top + 0.07),
                        (joint[0], top + 0.035)], 30)  # fmt: skip
        _tube(canvas, spine * mirror, [0.008, 0.014, 0.02], 0.85)
        arm = outlines.arms[side]
        shaft = 0.5 * (arm[:40] + arm[:39:-1])  # midway between its two borders
        shaft = np.concatenate([[joint * mirror], shaft[4:]])
        _tube(canvas, shaft, [0.06, 0.036, 0.032, 0.034, 0.036], 1.1)
        head = disc((float(joint[0]), float(joint[1])), (0.036, 0.04), rng)
        canvas.polygon(head * mirror, 1.0)
    return canvas.field()


def _spine(habitus: Habitus, canvas: Canvas, rng: np.random.Generator) -> Field:
    bend = rng.normal(0.0, 0.006, 5)
    course = smooth(
        [(b, y) for b, y in zip(bend, np.linspace(-0.2, 1.2, 5), strict=True)], 100
    )
    canvas.ribbon(course, np.linspace(0.055, 0.085, 100), np.full(100, 0.45))
    y = -0.15
    while y < 1.1:
        step = 0.036 + 0.016 * float(np.clip(y, 0.0, 1.0))
        _vertebra(canvas, float(np.interp(y, course[:, 1], course[:, 0])), y, step)
        y += step
    return canvas.field()


def _vertebra(canvas: Canvas, x: float, y: float, step: float) -> None:
    half = 0.030 + 0.014 * float(np.clip(y, 0.0, 1.0))
    height = 0.39 * step
    corners = [(-1, -1), (-0.9, 0), (-1, 1), (0, 0.93), (1, 1), (0.9, 0), (1, -1),
               (0, -0.93)]  # fmt: skip
    body = np.array([(x + half * a, y + height * b) for a, b in corners])
    canvas.polygon(body, 0.95)
    middle = np.array([x, y])
    canvas.polygon(middle + (body - middle) * [1.0, 0.72], 0.72)
    for sign in (-1.0, 1.0):
        angles = np.linspace(0.0, 2.0 * np.pi, 14)
        oval = np.stack([0.006 * np.cos(angles), 0.010 * np.sin(angles)], axis=1)
        pedicle = np.array([x + sign * 0.62 * half, y - 0.2 * step])
        canvas.polygon(oval + pedicle, 1.0)
    tip = np.array([(0, -0.3), (0.006, 0.25), (0, 0.4), (-0.006, 0.25)])
    canvas.polygon(tip * [1.0, step] + np.array([x, y + 0.1 * step]), 1.25)
