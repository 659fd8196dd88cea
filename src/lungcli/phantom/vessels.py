"""Air and blood: trachea and bronchi, hila, and the branching lung vessels."""

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.anatomy import SIDES, Habitus
from lungcli.phantom.canvas import Canvas, Field, Placement
from lungcli.phantom.curves import Points, disc, smooth

_THINNEST = 0.0011  # smaller vessels are texture, not lines
_GENERATIONS = 5  # of forks from a lung's trunks; bounds the time of one phantom

Segment = tuple[Points, float]  # polyline and its width
Numbers = NDArray[np.float64]  # one for each twig, (n,)


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
        canvas.line(points, plump * width, 0.065 * np.sqrt(plump * width))
    for side in SIDES:
        _hilum(canvas, habitus, side, rng)
    return canvas.field()


def _hilum(
    canvas: Canvas, habitus: Habitus, side: int, rng: np.random.Generator
) -> None:
    x, y = _root(habitus, side)
    outward = -1.0 if side == RIGHT else 1.0
    artery = smooth([(x - 0.02 * outward, y - 0.02), (x, y + 0.01),
                     (x + 0.014 * outward, y + 0.05), (x + 0.02 * outward, y + 0.10)],
                    24)  # fmt: skip
    canvas.ribbon(artery, np.linspace(0.020, 0.010, 24), np.linspace(0.009, 0.006, 24))
    for _ in range(5):
        centre = (x + rng.normal(0.0, 0.012), y + rng.normal(0.0, 0.024))
        radii = (rng.uniform(0.004, 0.008), rng.uniform(0.006, 0.014))
        canvas.polygon(disc(centre, radii, rng), rng.uniform(0.007, 0.011))


def _root(habitus: Habitus, side: int) -> tuple[float, float]:
    return habitus.at(side, *((0.24, 0.45) if side == RIGHT else (0.25, 0.42)))


def _tree(habitus: Habitus, side: int, rng: np.random.Generator) -> list[Segment]:
    # angle below the horizontal, towards the side: upper, middle and lower lobe
    angles = np.concatenate([rng.uniform(-1.45, -0.4, 5), rng.uniform(-0.3, 0.5, 3),
                             rng.uniform(0.5, 1.45, 8)])  # fmt: skip
    starts = rng.normal(0.0, 0.008, (16, 2))
    starts[:, 1] += 0.022 * angles
    widths = rng.uniform(0.0055, 0.0105, 16)
    outward = np.array([-1.0 if side == RIGHT else 1.0, 1.0])
    root = np.asarray(_root(habitus, side))
    segments: list[Segment] = []
    for _ in range(_GENERATIONS):
        twigs, angles = _twigs(starts, angles, widths, rng)
        segments += zip(root + outward * twigs, widths.tolist(), strict=True)
        starts, angles, widths = _forks(twigs[:, -1], angles, widths, rng)
    return segments


def _twigs(
    starts: Points, angles: Numbers, widths: Numbers, rng: np.random.Generator
) -> tuple[NDArray[np.float64], Numbers]:
    """Return a slightly bent line from each start, `(n, 5, 2)`, and its last angle."""
    steps = 4
    lengths = (0.022 + 4.5 * widths) * rng.uniform(0.6, 1.3, len(widths))
    bends = np.cumsum(rng.normal(0.0, 0.09, (len(widths), steps)), axis=1)
    courses = angles[:, None] + bends
    moves = np.stack([np.cos(courses), np.sin(courses)], axis=2)
    moves *= lengths[:, None, None] / steps
    points = starts[:, None] + np.cumsum(moves, axis=1)
    return np.concatenate([starts[:, None], points], axis=1), courses[:, -1]


def _forks(
    ends: Points, angles: Numbers, widths: Numbers, rng: np.random.Generator
) -> tuple[Points, Numbers, Numbers]:
    """Return starts, angles and widths of two thinner twigs at each end."""
    turns = rng.uniform(0.1, 0.5, (2, len(widths))) * [[1.0], [-1.0]]
    thinner = (widths * rng.uniform(0.62, 0.88, turns.shape)).ravel()
    keep = thinner > _THINNEST
    return np.tile(ends, (2, 1))[keep], (angles + turns).ravel()[keep], thinner[keep]
