"""Air and blood: trachea and bronchi, hila, and the branching lung vessels."""

import numpy as np

from lungcli.arrays import LEFT, RIGHT
from lungcli.data.phantom.anatomy import SIDES, Habitus
from lungcli.data.phantom.canvas import Canvas, Field, Placement
from lungcli.data.phantom.curves import Points, disc, smooth

_THINNEST = 0.0011  # smaller vessels are texture, not lines
_MAX_VESSELS = 420  # a lung's tree; bounds the time of one phantom

Segment = tuple[Points, float]  # polyline and its width


def draw_airways(
    habitus: Habitus, canvas_of: tuple[int, Placement], rng: np.random.Generator
) -> Field:
    """Return the thickness of the air in trachea and main bronchi; 1 is full."""
    canvas = Canvas(*canvas_of)
    carina = habitus.apex + habitus.height * rng.normal(0.31, 0.015)
    lean = rng.normal(-0.006, 0.005)  # the aortic arch pushes it to the right
    trachea = smooth(
        [(0.0, -0.15), (0.3 * lean, habitus.apex), (lean, carina - 0.03),
         (lean, carina)],
        40,
    )  # fmt: skip
    for side, level in ((RIGHT, 0.39), (LEFT, 0.415)):
        end = habitus.at(side, 0.17, level)
        bronchus = smooth([(lean, carina - 0.01), (0.5 * end[0] + 0.5 * lean,
                          0.45 * carina + 0.55 * end[1]), end], 16)  # fmt: skip
        canvas.ribbon(bronchus, np.linspace(0.02, 0.012, 16), np.linspace(0.8, 0.4, 16))
    widths = np.full(40, rng.normal(0.031, 0.003))
    canvas.ribbon(trachea, widths, np.full(40, 0.7))
    canvas.ribbon(trachea, 0.6 * widths, np.full(40, 1.0))
    return canvas.field()


def draw_vessels(
    habitus: Habitus, canvas_of: tuple[int, Placement], rng: np.random.Generator
) -> Field:
    """Return the thickness of the hila and lung vessels in the patient's frame."""
    canvas = Canvas(*canvas_of)
    plump = rng.normal(1.0, 0.12)
    segments: list[Segment] = []
    for side in SIDES:
        segments += _tree(habitus, side, rng)
    for points, width in sorted(segments, key=lambda segment: segment[1]):
        canvas.line(points, plump * width, 0.9 * plump * width)
    for side in SIDES:
        _hilum(canvas, habitus, side, rng)
    return canvas.field()


def _hilum(
    canvas: Canvas, habitus: Habitus, side: int, rng: np.random.Generator
) -> None:
    x, y = _root(habitus, side)
    for _ in range(7):
        centre = (x + rng.normal(0.0, 0.010), y + rng.normal(0.0, 0.026))
        radii = (rng.uniform(0.006, 0.012), rng.uniform(0.008, 0.020))
        canvas.polygon(disc(centre, radii, rng), rng.uniform(0.010, 0.018))


def _root(habitus: Habitus, side: int) -> tuple[float, float]:
    return habitus.at(side, *((0.24, 0.45) if side == RIGHT else (0.25, 0.42)))


def _tree(habitus: Habitus, side: int, rng: np.random.Generator) -> list[Segment]:
    root = np.asarray(_root(habitus, side))
    outward = -1.0 if side == RIGHT else 1.0
    # angle below the horizontal, towards the side: upper, middle and lower lobe
    trunks = np.concatenate([rng.uniform(-1.45, -0.4, 5), rng.uniform(-0.3, 0.5, 3),
                             rng.uniform(0.55, 1.5, 7)])  # fmt: skip
    segments: list[Segment] = []
    stack = [(root + rng.normal(0.0, 0.012, 2), float(angle),
              rng.uniform(0.005, 0.0095)) for angle in trunks]  # fmt: skip
    while stack and len(segments) < _MAX_VESSELS:
        start, angle, width = stack.pop(0)
        points, angle = _twig(start, angle, width, outward, rng)
        segments.append((points, width))
        for turn in (rng.uniform(0.1, 0.45), -rng.uniform(0.1, 0.55)):
            thinner = width * rng.uniform(0.6, 0.86)
            if thinner > _THINNEST:
                stack.append((points[-1], angle + turn, thinner))
    return segments


def _twig(
    start: Points, angle: float, width: float, outward: float, rng: np.random.Generator
) -> tuple[Points, float]:
    steps = 4
    length = (0.018 + 4.0 * width) * rng.uniform(0.6, 1.3)
    angles = angle + np.cumsum(rng.normal(0.0, 0.09, steps))
    moves = np.stack([outward * np.cos(angles), np.sin(angles)], axis=1)
    points = start + np.cumsum(moves * length / steps, axis=0)
    return np.concatenate([start[None], points]), float(angles[-1])
