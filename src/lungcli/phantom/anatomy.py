"""The outlines of a random patient: chest cavity, mediastinum, diaphragm, body.

Lengths across are measured in half widths of the chest from the midline, lengths
down in heights of the chest from the lungs' apex to the costophrenic angle.
Proportions follow the frontal chest film of an adult in inspiration: cardiothoracic
ratio 0.38 to 0.6, right dome of the diaphragm higher than the left, the tenth
posterior rib at the dome.
"""

from dataclasses import dataclass

import numpy as np

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.curves import Points, smooth, wobble

SIDES = (RIGHT, LEFT)
_SIGN = {RIGHT: -1.0, LEFT: 1.0}  # the patient's right is the picture's left

# (across, down) of the chest wall's inner side, from the mediastinum over the apex
_WALL = (
    (0.06, 0.24), (0.10, 0.14), (0.16, 0.066), (0.26, 0.015), (0.39, 0.0),
    (0.53, 0.020), (0.66, 0.078), (0.77, 0.17), (0.87, 0.32), (0.95, 0.50),
    (0.99, 0.70), (1.0, 0.88), (0.985, 1.0), (0.95, 1.12), (0.90, 1.22),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Habitus:
    """A patient's build.

    Attributes:
        female: Whether breast shadows may be drawn.
        age: In years.
        half_width: Of the chest's inner side.
        apex: y of the lungs' apices.
        height: From the apex to the costophrenic angle.
        bell: How much narrower the chest is above than below, in [0, 0.12].
        flesh: Thickness of the chest wall's soft tissue at the side.
        dome_heights: Right and left dome above the costophrenic angle.
    """

    female: bool
    age: int
    half_width: float
    apex: float
    height: float
    bell: float
    flesh: float
    dome_heights: tuple[float, float]

    def at(self, side: int, across: float, down: float) -> tuple[float, float]:
        """Return the point of the patient's frame at chest-relative coordinates."""
        x = _SIGN[side] * across * self.half_width
        return x, self.apex + down * self.height

    def curve(
        self, side: int, knots: tuple[tuple[float, float], ...], num_points: int = 120
    ) -> Points:
        """Return the smooth curve through chest-relative knots."""
        return smooth([self.at(side, *knot) for knot in knots], num_points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Closed outlines in the patient's frame; those of a side are keyed by label.

    Attributes:
        cavities: Each half of the rib cage's inside, down past the diaphragm.
        centre: Mediastinum, heart and great vessels, hiding the lungs behind them.
        heart: The part of the centre that is heart, from its base down past the
            diaphragm.
        abdomen: What lies below each dome of the diaphragm.
        body: Neck, shoulders and trunk.
        arms: Upper arms.
    """

    cavities: dict[int, Points]
    centre: Points
    heart: Points
    abdomen: dict[int, Points]
    body: Points
    arms: dict[int, Points]


def draw_habitus(rng: np.random.Generator) -> Habitus:
    """Draw a random patient's build."""
    female = bool(rng.random() < 0.5)
    height = rng.normal(0.635 if female else 0.67, 0.05)
    right_dome = rng.uniform(0.15, 0.25)
    return Habitus(
        female=female,
        age=int(np.clip(rng.normal(45, 17), 16, 89)),
        half_width=rng.normal(0.355, 0.018),
        apex=rng.normal(0.115, 0.012),
        height=float(np.clip(height, 0.52, 0.76)),
        bell=rng.uniform(0.0, 0.12),
        flesh=float(np.clip(rng.gamma(4.0, 0.018), 0.03, 0.14)),
        dome_heights=(right_dome, right_dome - rng.uniform(0.025, 0.06)),
    )


def draw_outlines(habitus: Habitus, rng: np.random.Generator) -> Outlines:
    """Draw the outlines of a patient of the given build."""
    cavities = {side: _cavity(habitus, side, rng) for side in SIDES}
    centre, heart = _centre(habitus, rng)
    return Outlines(
        cavities=cavities,
        centre=centre,
        heart=heart,
        abdomen={side: _abdomen(habitus, side, rng) for side in SIDES},
        body=_body(habitus, rng),
        arms={side: _arm(habitus, side, rng) for side in SIDES},
    )


def _cavity(habitus: Habitus, side: int, rng: np.random.Generator) -> Points:
    tilt = rng.normal(0.0, 0.02)  # no two sides of a chest are alike
    top = rng.normal(0.0, 0.008)
    knots = tuple(
        (x * (1 + tilt * y - habitus.bell * (1 - y)), y + top * (1 - y))
        for x, y in _WALL
    )
    wall = wobble(habitus.curve(side, knots, 160), 0.004, rng)
    closing = [habitus.at(side, 0.0, 1.22), habitus.at(side, 0.0, 0.24)]
    return np.concatenate([wall, closing])


def _centre(habitus: Habitus, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return the outline of the centre, and of the heart in it."""
    right_knots = _right_border(rng)
    right = wobble(habitus.curve(RIGHT, right_knots), 0.004, rng)
    left_knots = _left_border(habitus, rng)
    left = wobble(habitus.curve(LEFT, left_knots), 0.004, rng)
    # from where the right atrium leaves the vena cava, and from the pulmonary trunk
    right_heart = _below(right, habitus, right_knots[5][1])
    left_heart = _below(left, habitus, left_knots[8][1])
    return (
        np.concatenate([right, left[::-1]]),
        np.concatenate([right_heart, left_heart[::-1]]),
    )


def _below(border: Points, habitus: Habitus, down: float) -> Points:
    """Return the part of a border below a chest-relative level."""
    return border[border[:, 1] >= habitus.apex + down * habitus.height]


def _right_border(rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    cava = rng.uniform(0.13, 0.19)
    atrium = rng.uniform(0.22, 0.36)
    level = rng.normal(0.70, 0.02)
    return (
        (0.10, -0.3), (0.10, 0.03), (cava - 0.02, 0.15), (cava, 0.26),
        (cava + 0.01, 0.38), (0.4 * cava + 0.6 * atrium, level - 0.18),
        (atrium - 0.01, level - 0.08), (atrium, level), (0.93 * atrium, level + 0.11),
        (0.72 * atrium, level + 0.22), (0.6 * atrium, level + 0.45),
    )  # fmt: skip


def _left_border(
    habitus: Habitus, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    ageing = (habitus.age - 45) / 100
    knob = rng.normal(0.23 + 0.15 * ageing, 0.025)
    window = min(rng.uniform(0.16, 0.20), knob - 0.015)
    trunk = rng.uniform(0.19, 0.27)
    apex = float(np.clip(rng.normal(0.61, 0.08), 0.47, 0.80))
    level = rng.normal(0.86, 0.025)
    return (
        (0.10, -0.3), (0.10, 0.03), (0.115, 0.13), (0.155, 0.20), (knob, 0.265),
        (knob + 0.005, 0.31), (window, 0.375), (trunk, 0.43), (trunk + 0.035, 0.50),
        (0.5 * (trunk + apex), level - 0.25), (0.86 * apex, level - 0.13),
        (apex, level), (0.93 * apex, level + 0.09), (0.7 * apex, level + 0.17),
        (0.5 * apex, level + 0.35),
    )  # fmt: skip


def _abdomen(habitus: Habitus, side: int, rng: np.random.Generator) -> Points:
    high = habitus.dome_heights[0 if side == RIGHT else 1]
    peak = rng.normal(0.45 if side == RIGHT else 0.50, 0.05)
    flat = rng.uniform(0.80, 0.91)
    knots = (
        (0.0, 1 - 0.62 * high), (0.5 * peak, 1 - 0.88 * high), (peak, 1 - high),
        (peak + 0.2, 1 - flat * high), (peak + 0.36, 1 - 0.58 * high),
        (0.93, 1 - 0.22 * high), (1.0, 1.0), (1.06, 1 + 0.4 * high),
    )  # fmt: skip
    dome = wobble(habitus.curve(side, knots, 90), 0.003, rng)
    closing = [habitus.at(side, 1.3, 2.0), habitus.at(side, 0.0, 2.0)]
    return np.concatenate([dome, closing])


def _body(habitus: Habitus, rng: np.random.Generator) -> Points:
    slope = rng.uniform(-0.03, 0.015)
    waist = rng.normal(0.0, 0.02)
    halves = []
    for side in SIDES:
        wide = habitus.half_width + habitus.flesh
        sign = _SIGN[side]
        top = habitus.apex
        neck = 0.11 + 0.3 * habitus.flesh
        knots = [
            (neck, top - 0.35), (neck - 0.004, top - 0.16), (neck + 0.02, top - 0.085),
            (0.19, top - 0.055 + slope), (0.32, top - 0.025 + slope),
            (wide + 0.045, top + 0.02 + slope), (wide + 0.085, top + 0.11),
            (wide + 0.03, top + 0.25), (wide + 0.004, top + 0.36),
            (wide + 0.004, top + 0.50), (wide + 0.5 * waist, top + 0.64),
            (wide + waist, top + 0.8), (wide + waist + 0.02, top + 1.2),
        ]  # fmt: skip
        outline = smooth([(sign * x, y) for x, y in knots], 160)
        halves.append(wobble(outline, 0.006, rng))
    return np.concatenate([halves[0], halves[1][::-1]])


def _arm(habitus: Habitus, side: int, rng: np.random.Generator) -> Points:
    sign, wide = _SIGN[side], habitus.half_width + habitus.flesh
    spread = rng.uniform(0.2, 0.6)
    thick = 0.06 + 0.4 * habitus.flesh
    shoulder = np.array([wide + 0.015, habitus.apex + 0.13])
    elbow = np.array([wide + spread + 0.03, habitus.apex + 1.1])
    middle = 0.5 * (shoulder + elbow) + np.array([0.02, 0.0])
    axis = smooth([tuple(shoulder), tuple(middle), tuple(elbow)], 40)
    outer = axis + np.array([thick, 0.0])
    inner = axis - np.array([thick, 0.0])
    outline = np.concatenate([outer, inner[::-1]])
    return np.asarray(outline * np.array([sign, 1.0]))
