"""Smooth curves of the phantom: points `(n, 2)` of `(x, y)`.

The patient's frame: x = 0 is the midline, positive towards the right of the picture
(the patient's left); y runs down. One unit is the side of an unscaled picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Points = NDArray[np.float64]


def smooth(knots: Sequence[tuple[float, float]] | Points, num_points: int) -> Points:
    """Return a cubic spline through `knots`, centripetal so that it cannot loop.

    Args:
        knots: At least two points, shape `(k, 2)`.
        num_points: Number of points to return.

    Returns:
        Points on the curve, shape `(num_points, 2)`, from the first knot to the last.

    References:
        Lee (1989), Computer-Aided Design 21(6),
        https://doi.org/10.1016/0010-4485(89)90003-1
    """
    array = np.asarray(knots, dtype=np.float64)
    steps = np.sqrt(np.linalg.norm(np.diff(array, axis=0), axis=1))
    position = np.concatenate([[0.0], np.cumsum(steps)])
    spline = CubicSpline(position, array, axis=0, bc_type="natural")
    return np.asarray(spline(np.linspace(0.0, position[-1], num_points)))


def wobble(points: Points, amplitude: float, rng: np.random.Generator) -> Points:
    """Return the curve moved along its normals by a few random low waves.

    No organ's border is a clean spline; the largest move is about `amplitude`.
    """
    position = np.linspace(0.0, 1.0, len(points))
    waves = np.zeros(len(points))
    for frequency in (1.5, 3.0, 6.0, 11.0):
        phase = rng.uniform(0.0, 2.0 * np.pi)
        strength = rng.normal(0.0, 1.0 / frequency)
        waves += strength * np.sin(2.0 * np.pi * frequency * position + phase)
    return points + amplitude * waves[:, None] * normals(points)


def normals(points: Points) -> Points:
    """Return the unit normals of a curve, shape `(n, 2)`."""
    tangents = np.gradient(points, axis=0)
    lengths = np.maximum(np.linalg.norm(tangents, axis=1), 1e-9)
    unit = tangents / lengths[:, None]
    return np.stack([-unit[:, 1], unit[:, 0]], axis=1)


def disc(
    centre: tuple[float, float], radii: tuple[float, float], rng: np.random.Generator
) -> Points:
    """Return a closed blob around `centre` whose radius varies by about a tenth."""
    angles = np.linspace(0.0, 2.0 * np.pi, 72, endpoint=False)
    radius = np.ones_like(angles)
    for frequency in (1, 2, 3, 5):
        phase = rng.uniform(0.0, 2.0 * np.pi)
        radius += rng.normal(0.0, 0.08 / frequency) * np.sin(frequency * angles + phase)
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(np.asarray(centre) + radius[:, None] * unit * radii)
