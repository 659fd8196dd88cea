"""What makes a phantom ill, and what else lies in the beam."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.anatomy import Habitus
from lungcli.phantom.canvas import Canvas, Field, Placement, blur
from lungcli.phantom.curves import Points, disc, smooth, wobble


class Finding(StrEnum):
    """What a phantom's reading says."""

    NORMAL = "normal"
    OPACITY = "patchy opacity"
    NODULE = "solitary nodule"
    EFFUSION = "pleural effusion"


_CHANCES = {
    Finding.NORMAL: 0.6,
    Finding.OPACITY: 0.17,
    Finding.NODULE: 0.08,
    Finding.EFFUSION: 0.15,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """One finding and where it is.

    Attributes:
        finding: Its kind.
        side: RIGHT or LEFT; of no meaning if normal.
        fluid: Outline of an effusion, None without one.
    """

    finding: Finding
    side: int
    fluid: Points | None = None


def draw_disease(habitus: Habitus, rng: np.random.Generator) -> Disease:
    """Draw a finding; three in five phantoms are healthy."""
    finding = rng.choice(list(_CHANCES), p=list(_CHANCES.values()))
    side = int(rng.choice([RIGHT, LEFT]))
    fluid = _meniscus(habitus, side, rng) if finding == Finding.EFFUSION else None
    return Disease(finding=Finding(finding), side=side, fluid=fluid)


def _meniscus(habitus: Habitus, side: int, rng: np.random.Generator) -> Points:
    dome = habitus.dome_heights[0 if side == RIGHT else 1]
    level = 1.0 - dome - rng.uniform(-0.5, 1.0) * 0.16
    climb = rng.uniform(0.08, 0.2)  # fluid creeps up the chest wall
    knots = (
        (0.0, level + 0.06), (0.3, level + 0.05), (0.6, level + 0.01),
        (0.82, level - 0.35 * climb), (0.95, level - climb),
        (1.04, level - 1.8 * climb),
    )  # fmt: skip
    surface = wobble(habitus.curve(side, knots, 60), 0.003, rng)
    closing = [habitus.at(side, 1.3, 1.6), habitus.at(side, 0.0, 1.6)]
    return np.concatenate([surface, closing])


def draw_opacities(
    habitus: Habitus,
    disease: Disease,
    canvas_of: tuple[int, Placement],
    rng: np.random.Generator,
) -> Field:
    """Return the share of the lung's air that is replaced by tissue, [0, 1]."""
    canvas = Canvas(*canvas_of)
    if disease.finding == Finding.NODULE:
        centre = habitus.at(disease.side, rng.uniform(0.4, 0.8), rng.uniform(0.2, 0.7))
        radius = rng.uniform(0.010, 0.022)
        canvas.polygon(disc(centre, (radius, radius), rng), 0.16)
        sigma = 0.004
    elif disease.finding == Finding.OPACITY:
        _spots(canvas, habitus, disease.side, rng)
        sigma = rng.uniform(0.006, 0.016)
    else:
        return canvas.field()
    return blur(canvas.field(), sigma)


def _spots(
    canvas: Canvas, habitus: Habitus, side: int, rng: np.random.Generator
) -> None:
    middle = (rng.uniform(0.35, 0.75), rng.uniform(0.12, 0.7))
    for _ in range(int(rng.integers(8, 22))):
        across, down = rng.normal(middle, (0.12, 0.07))
        radius = rng.uniform(0.010, 0.035)
        spot = disc(habitus.at(side, across, down), (radius, radius), rng)
        canvas.polygon(spot, rng.uniform(0.15, 0.5))


def draw_devices(
    habitus: Habitus, canvas_of: tuple[int, Placement], rng: np.random.Generator
) -> Field:
    """Return the thickness of cables and electrodes; most patients have none."""
    canvas = Canvas(*canvas_of)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.87, 0.05, 0.04, 0.04]))):
        side = int(rng.choice([RIGHT, LEFT]))
        x, y = habitus.at(side, rng.uniform(0.3, 1.0), rng.uniform(0.05, 0.9))
        electrode = disc((x, y), (0.011, 0.011), rng)
        leaves = (x + rng.normal(0.0, 0.25), rng.choice([-0.1, 1.1]))
        bend = (0.5 * (x + leaves[0]) + rng.normal(0.0, 0.1), 0.5 * (y + leaves[1]))
        cable = smooth([(x, y), bend, leaves], 60)
        canvas.line(cable, 0.0035, 0.6)
        canvas.polygon(electrode, 0.45)
        canvas.polygon(disc((x, y), (0.005, 0.005), rng), 1.0)
    return canvas.field()
