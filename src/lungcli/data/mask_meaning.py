"""What the values of a mask mean, told from all of them and from where they lie.

The largest value alone tells little: it may be an outline, one of two lungs, or the
background. Where several readings are possible and none is beyond doubt, the mask is
refused, with the values that were seen and the way to say what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND, BY_LABEL, IGNORE, LUNG_LABELS
from lungcli.arrays import LabelMap, Mask, is_lung
from lungcli.data.mask_areas import (
    are_one_lung_each,
    are_two_lungs,
    ground_of,
    small_copy,
    thick_values,
)
from lungcli.data.said_labels import label_said, spelled
from lungcli.data.sides import derive_sides, holds_both_lungs
from lungcli.data.structure_names import BOTH

_LARGEST: Final = max(BY_LABEL)
_MOST_LABELS: Final = 15  # a largest value up to here is a label, not a gray level
_MIDDLE: Final = (0.2, 0.8)  # of the largest value: neither dark nor bright
_MOST_IN_MIDDLE: Final = 0.15  # of the pixels of a mask; X-rays have about half
_LEAST_LABELLED: Final = 0.01  # of the pixels; fewer are what smoothing left
_LEAST_GAP: Final = 0.15  # of the largest distance to the ground; nearer is the same
_MOST_VALUES: Final = 8  # named in a message
_IGNORED_GRAY: Final = 127  # V7 draws so what is to be ignored, lungs at 255
_EITHER: Final = LUNG_LABELS[0]  # stands for both lungs where sides are not told


class MeaningError(ValueError):
    """Nobody can tell what the values of a mask mean; the message says which.

    Attributes:
        remedy: What to do about it; empty for the usual.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pixels of a mask file.

    Attributes:
        codes: What tells values apart: gray levels, or `0xRRGGBB` of colours.
        has_colours: Which of the two.
        is_lossy: Whether small numbers may be noise, as in JPEG.
    """

    codes: NDArray[Any]
    has_colours: bool = False
    is_lossy: bool = False


@dataclass(frozen=True, slots=True)
class RawMask:
    """One mask file's labels, before sides are known.

    Attributes:
        labels: Shape `(height, width)`; where it has no sides, 1 is either lung.
        has_sides: The file tells the lungs apart: 1 the patient's right, 2 left.
        is_inverted: The lungs were drawn dark on a bright ground.
    """

    labels: LabelMap
    has_sides: bool
    is_inverted: bool = False

    def with_sides(self) -> LabelMap:
        """Return the labels, the lungs parted by where they lie if they were not."""
        if self.has_sides:
            return self.labels
        lungs = is_lung(self.labels)
        return np.where(lungs, derive_sides(lungs), self.labels)


def meaning_of(drawn: Drawn, said: Mapping[float, str] | None = None) -> RawMask:
    """Return the labels that a mask shows.

    * Numbers up to 3 are a label map (`anatomy`); with 255, that is where nobody knows,
      also if it is but an outline.
    * Of areas in one value on a ground, the other is lung; the ground is what lies
      along the border. Lines and the steps of smoothing go to the nearer of the two.
    * Two values are two lungs if each looks like one, on its side of the other. Gray
      127 beside 255 is V7's "ignore".

    Args:
        drawn: The pixels.
        said: What the user says that values mean: keys of `anatomy`, `lungs`,
            `ignore` or `background`. It settles the question.

    Raises:
        MeaningError: If it shows anything else.
    """
    if said:
        return _as_said(drawn, said)
    codes = drawn.codes
    largest = codes.max(initial=0)
    if largest <= 0:
        return RawMask(np.zeros(codes.shape, np.uint8), has_sides=False)
    if not drawn.has_colours:
        if _are_labels(codes, largest):
            return _label_map(drawn)
        if _share_of_shades(codes, largest) > _MOST_IN_MIDDLE:
            msg = "is a picture in many shades of gray, not a mask"
            raise MeaningError(msg)
    return _areas(drawn)


def _are_labels(codes: NDArray[Any], largest: float) -> bool:
    if largest <= _MOST_LABELS:
        return not (codes % 1).any()
    if largest != IGNORE:
        return False
    known = codes[codes != IGNORE]
    labelled = int(np.count_nonzero(known))
    if not labelled or known.max() > _LARGEST or (known % 1).any():
        return False
    # A few pixels beside a large 255 are what smoothing left of a binary mask.
    least = _LEAST_LABELLED * codes.size
    few = min(labelled, known.size - labelled) < least
    return not (few and IGNORE in thick_values(codes))


def _label_map(drawn: Drawn) -> RawMask:
    codes = drawn.codes
    if drawn.is_lossy:
        msg = (
            f"holds numbers up to {int(codes.max())} in a lossy format, which changes "
            "numbers: a 1 may have been a 2"
        )
        raise MeaningError(msg)
    known = codes[codes != IGNORE]
    if known.max() > _LARGEST or known.min() < BACKGROUND:
        msg = (
            f"is a label map with labels from {int(known.min())} to {int(known.max())}"
        )
        raise MeaningError(msg)
    labels = codes.astype(np.uint8)
    there = {label for label in BY_LABEL if (labels == label).any()}
    lungs = there & set(LUNG_LABELS)
    both_alike = len(lungs) == 1 and holds_both_lungs(is_lung(labels))
    if there == {_EITHER} and ground_of(labels) == _EITHER:
        dark: Mask = labels == BACKGROUND
        if are_two_lungs(dark):
            return _either(dark, is_inverted=True)
    if both_alike or there == {_EITHER}:
        alike = np.where(is_lung(labels), np.uint8(_EITHER), labels)
        return RawMask(alike, has_sides=False)
    return RawMask(labels, has_sides=True)


def _share_of_shades(codes: NDArray[Any], largest: float) -> float:
    """Return the share of pixels that are neither dark nor bright, from 0 to 1.

    Those of the most frequent such value do not count: it may mean something.
    """
    low, high = (share * float(largest) for share in _MIDDLE)
    middle = codes[(codes > low) & (codes < high)]
    if not middle.size:
        return 0.0
    _, counts = np.unique(middle, return_counts=True)
    return float((middle.size - counts.max()) / codes.size)


def _areas(drawn: Drawn) -> RawMask:
    """Read a mask whose values are areas on a ground."""
    codes = _banded(drawn.codes) if drawn.is_lossy else drawn.codes
    ground = ground_of(codes)
    others = _apart(thick_values(codes), ground, drawn)
    if len(others) <= 1:
        return _one_value(drawn, ground, others)
    if len(others) == 2:
        return _two_values(drawn, codes, ground, others)
    raise _unclear(drawn, others)


def _apart(values: Sequence[float], ground: float, drawn: Drawn) -> list[float]:
    """Return the values that are far from the ground and from each other."""
    least = _LEAST_GAP * max(
        (_distance_of(drawn, ground, value) for value in values), default=0.0
    )
    found: list[float] = []
    for value in sorted(values, key=lambda one: -_distance_of(drawn, ground, one)):
        if all(_distance_of(drawn, value, one) > least for one in (ground, *found)):
            found.append(value)
    return found


def _one_value(drawn: Drawn, ground: float, others: Sequence[float]) -> RawMask:
    far = _distance(drawn, ground)
    full = _distance_of(drawn, ground, others[0]) if others else far.max()
    shown: Mask = 2 * far >= full
    largest = drawn.codes.max()
    if drawn.has_colours or 2 * ground < largest:
        return _either(shown)
    # The border is bright: either so is the ground, or lungs lie along it.
    if are_two_lungs(shown):
        return _either(shown, is_inverted=True)
    bright: Mask = 2 * drawn.codes.astype(np.float32) >= largest
    return _either(bright)


def _two_values(
    drawn: Drawn, codes: NDArray[Any], ground: float, others: Sequence[float]
) -> RawMask:
    first, second = (small_copy(codes) == value for value in others)
    nearest = min(_distance_of(drawn, ground, value) for value in others)
    shown: Mask = 2 * _distance(drawn, ground) >= nearest
    if are_one_lung_each(first, second):
        return _either(shown)
    dim, bright = sorted(others)
    grays = not drawn.has_colours and ground == BACKGROUND and bright == IGNORE
    if grays and dim == _IGNORED_GRAY and not are_two_lungs(small_copy(codes) == dim):
        lungs = 2 * drawn.codes.astype(np.int32) >= dim + bright
        labels = np.where(lungs, np.uint8(_EITHER), np.uint8(BACKGROUND))
        labels[shown & ~lungs] = IGNORE
        return RawMask(labels, has_sides=False)
    raise _unclear(drawn, others)


def _either(lungs: Mask, *, is_inverted: bool = False) -> RawMask:
    labels = np.where(lungs, np.uint8(_EITHER), np.uint8(BACKGROUND))
    return RawMask(labels, has_sides=False, is_inverted=is_inverted)


def _as_said(drawn: Drawn, said: Mapping[float, str]) -> RawMask:
    """Give each pixel the meaning of the nearest value, black being background."""
    codes = drawn.codes
    meanings = {0: "background"} | dict(said)
    unknown = [value for value in thick_values(codes) if value not in meanings]
    if unknown:
        raise _unclear(drawn, unknown)
    values = list(meanings)
    distances = np.stack([_distance(drawn, value) for value in values])
    labels_of = np.array([label_said(meanings[value]) for value in values], np.uint8)
    labels: LabelMap = labels_of[distances.argmin(axis=0)]
    return RawMask(labels, has_sides=BOTH not in meanings.values())


def _banded(codes: NDArray[Any]) -> NDArray[Any]:
    """Return a lossy mask in three values: dark, middle and bright."""
    largest = codes.max()
    low, high = (share * float(largest) for share in _MIDDLE)
    middle = round((low + high) / 2)
    return np.where(codes >= high, largest, np.where(codes > low, middle, 0))


def _distance(drawn: Drawn, value: float) -> NDArray[np.float32]:
    """Return how far each pixel's value is from one; of colours, in all channels."""
    codes = drawn.codes
    if not drawn.has_colours:
        gap: NDArray[np.float32] = np.abs(codes.astype(np.float32) - value)
        return gap
    channels = [
        ((codes >> shift) & 255).astype(np.float32) - ((int(value) >> shift) & 255)
        for shift in (16, 8, 0)
    ]
    return np.sqrt(sum(channel**2 for channel in channels))


def _distance_of(drawn: Drawn, value: float, other: float) -> float:
    pixel = np.array([[other]], drawn.codes.dtype)
    return float(_distance(Drawn(pixel, drawn.has_colours), value)[0, 0])


def _unclear(drawn: Drawn, values: Sequence[float]) -> MeaningError:
    shown = [spelled(value, drawn.has_colours) for value in values[:_MOST_VALUES]]
    example = ",".join(
        f"{value}={key}" for value, key in zip(shown, ("right", "left"), strict=False)
    )
    return MeaningError(
        f"has areas of the values {', '.join(shown)}, and nothing says what they mean",
        f"Say it, such as --labels {example}",
    )
