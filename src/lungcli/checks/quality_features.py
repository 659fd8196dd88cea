"""What tells a good mask from a bad one, without a reference: four numbers.

All are read off one output of the network, on a small grid of one size, so that they
mean the same whatever size the network looks at.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import LEFT, RIGHT, Gray, LabelMap, Mask, Probabilities
from lungcli.checks.lung_shape import LungShapes, shape_cells
from lungcli.masks.labels import LUNG_CHANNELS

SIDE: Final = 64  # pixels of the grid that everything is measured on
_SMALLEST: Final = 0.01  # of the square; less is no lung but a speck
_LEAST: Final = 0.002  # added before a logarithm
_CERTAIN: Final = 1e-6

Plane = NDArray[np.float64]

FEATURES: Final = (
    "doubt",
    "odd_shape",
    "smaller_lung",
    "edge_strength",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallView:
    """An X-ray and what the network made of it, on `SIDE` × `SIDE` pixels.

    Attributes:
        image: In [0, 1].
        probability: Of either lung, before clean-up, in [0, 1].
        right: The right lung after clean-up.
        left: The left lung after clean-up.
    """

    image: Plane
    probability: Plane
    right: Mask
    left: Mask


def shrink(square: Gray, probabilities: Probabilities, labels: LabelMap) -> SmallView:
    """Bring everything to the grid on which features are measured.

    The image is averaged, since its gradients are measured; the rest is sampled,
    which keeps its sums and costs next to nothing.

    Args:
        square: CXR as the network looked at it, shape `(s, s)`.
        probabilities: Its output, before any clean-up, shape `(s, s, structures)`.
        labels: The label map made of it, after clean-up, shape `(s, s)`.
    """
    image = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BOX)
    small, lungs = _sample(labels), _sample(probabilities)[..., LUNG_CHANNELS]
    return SmallView(
        image=np.asarray(image, dtype=np.float64) / 255,
        probability=lungs.sum(axis=-1, dtype=np.float64),
        right=small == RIGHT,
        left=small == LEFT,
    )


def has_lung(view: SmallView) -> bool:
    """Tell whether there is anything to score."""
    return int(np.count_nonzero(view.right | view.left)) >= _SMALLEST * SIDE**2


def shape_of(labels: LabelMap) -> Plane:
    """Return the shape of two lungs as `odd_shape` compares it; see `shape_cells`.

    Args:
        labels: Shape `(s, s)`.
    """
    small = _sample(labels)
    return shape_cells(small == RIGHT, small == LEFT)


def quality_features(view: SmallView, shapes: LungShapes) -> Plane | None:
    """Measure a mask.

    Args:
        view: From `shrink`.
        shapes: What lungs look like.

    Returns:
        One number for each name in `FEATURES`; None if there is next to no lung.

        * doubt: log of the entropy of the probabilities, in bits, per pixel of lung.
        * odd_shape: log of the distance from the nearest plausible pair of lungs.
        * smaller_lung: log of the smaller lung's share of the square.
        * edge_strength: gradient of the image along the outline, over its mean.
    """
    if not has_lung(view):
        return None
    lungs = view.right | view.left
    area = np.count_nonzero(lungs)
    entropy = _entropy(view.probability)
    outline = lungs & ~_eroded(lungs)
    slope = np.hypot(*np.gradient(view.image))
    smaller = min(np.count_nonzero(view.right), np.count_nonzero(view.left))
    odd = shapes.distance(shape_cells(view.right, view.left))
    return np.array(
        [
            np.log(entropy.sum() / area + _LEAST),
            np.log(odd + _LEAST),
            np.log(smaller / SIDE**2 + _LEAST),
            slope[outline].mean() / (slope.mean() + _LEAST),
        ]
    )


def _sample(square: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels nearest to the centres of the small grid's."""
    nearest = ((np.arange(SIDE) + 0.5) * square.shape[0] / SIDE).astype(np.intp)
    return square[np.ix_(nearest, nearest)]


def _entropy(lung: Plane) -> Plane:
    """Return the entropy of lung or not lung, in bits."""
    p = np.clip(lung, _CERTAIN, 1 - _CERTAIN)
    return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))


def _eroded(mask: Mask) -> Mask:
    """Drop pixels with a neighbour outside; what lies at the edge is an outline."""
    padded = np.pad(mask, 1)
    inner: Mask = (
        padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    )
    return inner
