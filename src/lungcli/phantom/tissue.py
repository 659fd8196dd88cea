"""Depth of flesh, air and gas along the rays; one unit is the picture's side."""

import numpy as np
from PIL import Image
from scipy import ndimage

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.anatomy import SIDES
from lungcli.phantom.canvas import Canvas, Field, blur, enlarge
from lungcli.phantom.curves import disc
from lungcli.phantom.patient import Scene

_BODY_DEPTH = 0.50
_LUNG_DEPTH = 0.36


def lung_air(scene: Scene, rng: np.random.Generator) -> Field:
    """Return the depth of aerated lung."""
    level = scene.level_of_rows()
    # the lungs reach behind heart and domes: a thin, unsharp layer of air
    hidden = 0.2 * _rim(scene.cavity, 0.10)
    hidden *= (1 - 0.75 * scene.belly) * (1 - scene.fluid)
    hidden *= np.interp(level, [0.5, 0.8], [1.0, 0.2])
    hidden = blur(hidden.astype(np.float32), 0.012)
    hidden[scene.cavity == 0] = 0
    seen = np.zeros_like(hidden)
    for lung in scene.lungs.values():
        seen += lung * (0.25 + 0.35 * _rim(lung, 0.05) + 0.4 * _rim(lung, 0.16))
    seen *= np.interp(level, [0.0, 0.3, 0.65, 1.0], [0.66, 1.0, 1.0, 0.86])
    air = np.maximum(seen, hidden) * _texture(scene.size, rng)
    return np.asarray(_LUNG_DEPTH * air, dtype=np.float32)


def body_depth(scene: Scene, rng: np.random.Generator) -> Field:
    """Return the depth of the body, as if it were all flesh."""
    outlines = scene.patient.outlines
    trunk = scene.fill(outlines.body, *outlines.arms.values())
    depth = _BODY_DEPTH * _rim(trunk, 0.17) * trunk
    depth += 0.13 * _rim(scene.centre * (1 - scene.belly), 0.16)
    soft_belly = blur(scene.belly * trunk, 0.02)
    depth += 0.20 * soft_belly
    hemithorax = scene.cavity * (1 - scene.belly) * (1 - scene.centre)
    depth += 0.10 * scene.fluid * hemithorax
    if scene.patient.habitus.female:
        depth += _breasts(scene, rng)
    return blur(depth, 0.003)


def gas(scene: Scene, rng: np.random.Generator) -> Field:
    """Return the depth of gas in stomach and bowel, below the left dome."""
    habitus = scene.patient.habitus
    canvas = Canvas(*scene.canvas_of)
    for chance, scale in ((0.75, 1.0), (0.35, 0.8), (0.3, 0.8)):
        if rng.random() > chance:
            continue
        below_dome = rng.uniform(0.05, 0.08) + (1 - scale) * rng.uniform(0.0, 1.5)
        down = 1 - habitus.dome_heights[1] + below_dome
        centre = habitus.at(LEFT, rng.uniform(0.3, 0.75), down)
        radii = (rng.uniform(0.025, 0.065) * scale, rng.uniform(0.012, 0.04) * scale)
        deep = rng.uniform(0.04, 0.12)
        bubble = disc(centre, radii, rng)
        middle = np.asarray(centre)
        canvas.polygon(bubble, 0.6 * deep)
        canvas.polygon(middle + 0.75 * (bubble - middle), deep)
    return blur(canvas.field() * scene.belly, 0.005)


def _breasts(scene: Scene, rng: np.random.Generator) -> Field:
    thick = rng.uniform(0.0, 0.22)
    down = rng.normal(0.64, 0.06)
    radius = rng.uniform(0.13, 0.18)
    grid = np.mgrid[: scene.size, : scene.size].astype(np.float32) / scene.size
    depth = np.zeros((scene.size, scene.size), dtype=np.float32)
    for side in SIDES:
        centre = scene.patient.habitus.at(side, rng.normal(0.62, 0.04), down)
        field = scene.fill(disc(centre, (radius, 0.85 * radius), rng))
        x, y = scene.patient.placement.to_picture(np.array([centre]))[0]
        outer = (grid[1] - x) * (-1.0 if side == RIGHT else 1.0)
        # it hangs: thick and sharp below and outside, thin towards the breastbone
        ramp = np.clip(0.4 + (grid[0] - y + 0.6 * outer) / (1.6 * radius), 0.0, 1.0)
        depth += (thick * ramp * _rim(field, 0.12)).astype(np.float32)
    return depth


def _rim(field: Field, width: float) -> Field:
    """Return a rounded profile: 0 at the border of `field`, 1 from `width` inwards."""
    pixels = width * len(field)
    step = max(1, int(pixels // 9))  # wide profiles are smooth: few points do
    distance = ndimage.distance_transform_edt(field[::step, ::step] >= 0.5)
    distance = ndimage.gaussian_filter(distance.astype(np.float32), 1.2)  # no stairs
    inward = np.minimum(distance * (step / pixels), 1.0)
    return enlarge(np.sqrt(1.0 - (1.0 - inward) ** 2), step, len(field))


def _texture(size: int, rng: np.random.Generator) -> Field:
    """Return the uneven aeration of the lung, around 1; alike at every size."""
    total = np.ones((size, size), dtype=np.float32)
    for cells, strength in ((6, 0.05), (40, 0.03), (160, 0.015)):
        noise = rng.standard_normal((cells, cells), dtype=np.float32)
        cloud = Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)
        total += strength * np.asarray(cloud)
    return total
