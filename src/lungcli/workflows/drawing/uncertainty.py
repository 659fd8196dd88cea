"""Where a trained network is in doubt, asked about one X-ray several times."""

import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray
from lungcli.masks.labels import LUNG_CHANNELS
from lungcli.workflows.shared.inference import LungModel

# Scale and degrees of each further look. Measured in docs/commands/visualize.md: looks
# at other gray values add nothing, shifts and more looks next to nothing.
_CHANGES: Final = ((0.93, 0.0), (1.07, 0.0), (1.0, -5.0), (1.0, 5.0))
_CERTAIN: Final = 1e-6
_WHOLLY: Final = 0.999  # less was mixed with what lies beyond the edge

_T = TypeVar("_T", bound=np.generic)
Plane = NDArray[np.float32]
Affine = NDArray[np.float64]  # (2, 3), from target to source pixels, as (x, y)


def find_doubt(lungs: LungModel, square: Gray) -> Plane:
    """Return the entropy of the mean probability of lung over several looks.

    Taken before the clean-up that makes masks of probabilities. Doubt is high where
    one look is undecided, and where looks contradict each other.

    Args:
        lungs: The network.
        square: CXR of the network's size, shape `(size, size)`.

    Returns:
        Bits in [0, 1], shape `(size, size)`: 0 where all looks are sure, 1 where lung
        and no lung are equally likely.

    References:
        Wang et al. (2019), Aleatoric uncertainty estimation with test-time augmentation
        for medical image segmentation with convolutional neural networks,
        Neurocomputing 338, https://doi.org/10.1016/j.neucom.2019.01.103
    """
    return binary_entropy(np.nanmean(look_again(lungs, square), axis=0))


def look_again(lungs: LungModel, square: Gray) -> Plane:
    """Return the probability of lung as it is, and in changed X-rays brought back.

    The changed ones are a little smaller, a little larger, and turned a little either
    way.

    Args:
        lungs: The network.
        square: CXR of the network's size, shape `(size, size)`.

    Returns:
        Shape `(looks, size, size)`; NaN where a look did not reach, at the edges.
    """
    side = square.shape[0]
    changes = [affine(side, scale, degrees) for scale, degrees in _CHANGES]
    looks = np.stack([square, *(warp(square, change) for change in changes)])
    probabilities = lungs.predictor.probabilities(looks[..., None])
    answers: Plane = probabilities[..., LUNG_CHANNELS].sum(axis=-1)
    whole = np.ones((side, side), np.float32)
    for answer, change in zip(answers[1:], changes, strict=True):
        back = _inverse(change)
        seen = warp(warp(whole, change), back) > _WHOLLY
        answer[:] = np.where(seen, warp(answer, back), np.nan)
    return answers


def binary_entropy(probability: NDArray[np.floating]) -> Plane:
    """Return -p·log2(p) - (1-p)·log2(1-p) in bits.

    Args:
        probability: In [0, 1], any shape; what rounding put beyond is taken as 0 or 1.

    Returns:
        In [0, 1], of the same shape; 0 at both ends, 1 in the middle.

    Examples:
        >>> binary_entropy(np.array([0.0, 0.5, 1.0])).tolist()
        [0.0, 1.0, 0.0]
    """
    p = np.clip(probability, 0.0, 1.0).astype(np.float64)
    sure = (p < _CERTAIN) | (p > 1 - _CERTAIN)
    p = np.where(sure, 0.5, p)
    bits = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return np.where(sure, 0.0, bits).astype(np.float32)


def affine(side: int, scale: float, degrees: float) -> Affine:
    """Return what enlarges by `scale` and turns about the middle of a square.

    Args:
        side: Of the square in pixels.
        scale: Above 1 enlarges.
        degrees: Counter-clockwise as a person sees it.
    """
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.full(2, side / 2)
    return np.column_stack([rotation, middle - rotation @ middle])


def warp(square: NDArray[_T], change: Affine) -> NDArray[_T]:
    """Return a square moved by `affine`, with zeros where nothing comes from."""
    image = Image.fromarray(square)
    moved = image.transform(
        image.size,
        Image.Transform.AFFINE,
        tuple(change.ravel().tolist()),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(moved)


def _inverse(change: Affine) -> Affine:
    rotation = np.linalg.inv(change[:, :2])
    return np.column_stack([rotation, -rotation @ change[:, 2]])
