"""Find images that show the same exposure twice: exact and near copies."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lungcli.arrays import Gray

# Measured on 1183 CXRs of four public sets. Re-encoded, resized, windowed, noisy and
# contrast-changed copies: 0.96 to 1. Pairs of different exposures: 0.82 at most.
# All six pairs above 0.93 were seen to be copies. Since tails grow with the number of
# pairs, the threshold lies nearer to the copies.
NEAR: Final = 0.93
_SIDE: Final = 32  # pixels; ribs and vessels, which are personal, still show
_SIGMA: Final = 1.0  # pixels of the small copy
_FAINT: Final = 2.0  # gray levels; below, structure is noise and is not amplified
_BLOCK: Final = 1024  # rows of the similarity matrix in memory at once


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of an image to compare it with all others.

    Attributes:
        digest: SHA-256 of shape and pixels.
        signature: Unit vector float32, or zeros for an image without structure.
    """

    digest: str
    signature: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Copy:
    """Two images that show the same exposure.

    Attributes:
        first: Index of the earlier image.
        second: Index of the later one.
        similarity: Correlation in [`NEAR`, 1]; None if every pixel is equal.
    """

    first: int
    second: int
    similarity: float | None


def look_at(gray: Gray) -> Look:
    """Summarise an image so that copies of it can be found.

    All chest X-rays share their coarse shadows. The signature is therefore the fine
    structure of a 32×32 copy, each pixel's difference from its surroundings relative
    to the local contrast. It survives resizing (also to another aspect), lossy
    encoding, noise and changes of contrast, but not cropping or padding by more than
    about 2 %, rotation or mirroring.

    Args:
        gray: CXR, shape `(height, width)`.
    """
    digest = hashlib.sha256(repr(gray.shape).encode())
    digest.update(gray.tobytes())
    small = Image.fromarray(gray).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    values = np.asarray(small, dtype=np.float32)
    detail = values - ndimage.gaussian_filter(values, _SIGMA, mode="nearest")
    contrast = np.sqrt(ndimage.gaussian_filter(detail**2, _SIGMA, mode="nearest"))
    relative = detail / (contrast + _FAINT)
    relative -= relative.mean()
    length = float(np.linalg.norm(relative))
    signature = relative / length if length > 1e-3 else np.zeros_like(relative)
    return Look(digest.hexdigest(), signature.astype(np.float32).ravel())


def find_copies(looks: Sequence[Look]) -> tuple[Copy, ...]:
    """Compare every image with every other.

    Args:
        looks: From `look_at`, one an image.

    Returns:
        For each exact copy a pair with the first such image; for each two images
        that nearly agree (of exact copies only the first counts) a pair. Sorted by
        index.
    """
    originals: dict[str, int] = {}
    copies = []
    for index, look in enumerate(looks):
        first = originals.setdefault(look.digest, index)
        if first != index:
            copies.append(Copy(first, index, None))
    copies.extend(_near([(i, looks[i].signature) for i in originals.values()]))
    return tuple(sorted(copies, key=lambda copy: (copy.second, copy.first)))


def _near(originals: Sequence[tuple[int, NDArray[Any]]]) -> Iterator[Copy]:
    if not originals:
        return
    indices = [index for index, _ in originals]
    signatures = np.stack([signature for _, signature in originals])
    for start in range(0, len(indices), _BLOCK):
        similarity = signatures[start : start + _BLOCK] @ signatures.T
        for row, column in np.argwhere(similarity >= NEAR):
            if start + row < column:
                value = min(1.0, float(similarity[row, column]))
                yield Copy(indices[start + row], indices[column], value)
