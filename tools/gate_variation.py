"""What can happen to a thumbnail before the gate sees it, and what it then is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from scipy import ndimage

from lungcli.arrays import Gray
from lungcli.checks.gate import SIDE
from lungcli.data.levels import spread_levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a frontal chest was put before the gate.

    Attributes:
        turned: Quarter turns by `numpy.rot90` away from upright.
        inverted: Bones are dark.
        mirrored: Flipped left to right before it was turned.
    """

    turned: int = 0
    inverted: bool = False
    mirrored: bool = False


UPRIGHT: Final = Pose()


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw one of the sixteen poses."""
    return Pose(
        turned=int(rng.integers(4)),
        inverted=bool(rng.random() < 0.5),
        mirrored=bool(rng.random() < 0.5),
    )


def put(gray: Gray, pose: Pose) -> Gray:
    """Mirror, turn and invert a picture."""
    posed = np.rot90(np.fliplr(gray) if pose.mirrored else gray, pose.turned)
    return np.ascontiguousarray(255 - posed if pose.inverted else posed)


def vary(gray: Gray, pose: Pose, rng: np.random.Generator) -> Gray:
    """Return a picture as another hospital might have sent it, in a pose.

    Frame, tilt, aspect, exposure, processing, collimation and labels are drawn at
    random; borders are added before and after the inversion, since both occur.

    Args:
        gray: Shape `(side, side)`, some times the gate's own size.
        pose: How it lies in the end.
        rng: Source of the variation.

    Returns:
        Shape `(SIDE, SIDE)` of the gate.
    """
    varied = _frame(gray, rng)
    varied = _label(_collimate(_squeeze(_expose(varied, rng), rng), rng), rng)
    varied = put(varied, pose)
    if rng.random() < 0.25:
        varied = _pad(varied, rng)
    return reduce_to_gate(varied)


def reduce_to_gate(gray: Gray) -> Gray:
    """Shrink a square thumbnail to the gate's square, its gray values spread.

    As `predict` shows X-rays to the gate.
    """
    gray = spread_levels(gray)
    smooth = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(gray).resize((SIDE, SIDE), smooth))


def _frame(gray: Gray, rng: np.random.Generator) -> Gray:
    """Crop or zoom each axis, tilt and shift; what comes into view is one level."""
    side = len(gray)
    zoom = np.exp(rng.uniform(-0.2, 0.22))
    squash = np.exp(rng.normal(0, 0.08))
    angle = np.deg2rad(np.clip(rng.normal(0, 5), -15, 15))
    scale = np.array([1 / (zoom * squash), squash / zoom])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag(scale)
    centre = np.full(2, side / 2)
    offset = centre - matrix @ (centre + rng.normal(0, 0.03, 2) * side)
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    fill = int(rng.choice([0, 0, 255, int(rng.integers(256)), int(gray.mean())]))
    framed = Image.fromarray(gray).transform(
        (side, side), Image.Transform.AFFINE, coefficients,
        Image.Resampling.BILINEAR, fillcolor=fill,
    )  # fmt: skip
    return np.asarray(framed)


def _expose(gray: Gray, rng: np.random.Generator) -> Gray:
    levels = gray.astype(np.float32) / 255
    if rng.random() < 0.3:  # flattened or crisped, as digital systems do
        rest = ndimage.gaussian_filter(levels, rng.uniform(2, 20))
        levels = levels + rng.uniform(-0.5, 1.0) * (levels - rest)
    if rng.random() < 0.3:
        levels = ndimage.gaussian_filter(levels, rng.uniform(0, 2))
    low, high = rng.uniform(-0.1, 0.2), rng.uniform(0.75, 1.1)
    levels = np.clip((levels - low) / (high - low), 0, 1) ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.5:
        levels = levels + rng.normal(0, rng.uniform(0, 0.08), levels.shape)
    return np.asarray(np.clip(levels, 0, 1) * 255, np.uint8)


def _squeeze(gray: Gray, rng: np.random.Generator) -> Gray:
    """Narrow the gray values, as conversions to 8 bits do beside a white marker."""
    if rng.random() < 0.8:
        return gray
    width = int(rng.integers(16, 128))
    low = int(rng.integers(256 - width))
    return np.asarray(np.rint(low + gray / 255 * width), np.uint8)


def _collimate(gray: Gray, rng: np.random.Generator) -> Gray:
    if rng.random() < 0.6:
        return gray
    edged, side = gray.copy(), len(gray)
    level = int(rng.choice([0, 0, 0, 255, int(rng.integers(256))]))
    depths = (rng.uniform(0, 0.1, 4) * (rng.random(4) < 0.5) * side).astype(int)
    for turns, depth in enumerate(depths):
        np.rot90(edged, turns)[:depth] = level  # a view
    return edged


def _label(gray: Gray, rng: np.random.Generator) -> Gray:
    """Put bright or dark plates near the edges, as side markers and names are."""
    if rng.random() < 0.6:
        return gray
    labelled, side = gray.copy(), len(gray)
    for _ in range(rng.integers(1, 4)):
        height, width = (rng.uniform(0.02, 0.12, 2) * side).astype(int) + 1
        top, left = rng.integers(0, side, 2)
        if rng.random() < 0.7:
            top = int(rng.choice([top // 6, side - 1 - top // 6]))
        labelled[top : top + height, left : left + width] = rng.choice([0, 255, 255])
    return labelled


def _pad(gray: Gray, rng: np.random.Generator) -> Gray:
    """Add bars of one level on two or four sides, as fitting into a frame does."""
    side = len(gray)
    across, down = (rng.uniform(0, 0.16, 2) * (rng.random(2) < 0.7) * side).astype(int)
    level = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    padded = np.full((side + 2 * down, side + 2 * across), level, np.uint8)
    padded[down : down + side, across : across + side] = gray
    return np.asarray(Image.fromarray(padded).resize((side, side)))
