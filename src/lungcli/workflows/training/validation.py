"""The validation Dice that chooses the best weights."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lungcli import anatomy
from lungcli.anatomy import BY_KEY, IGNORE, Knowledge
from lungcli.arrays import Mask, is_lung
from lungcli.data.geometry import fit_square
from lungcli.data.restoring import from_square
from lungcli.masks.labels import lung_mask
from lungcli.metrics.overlap import LUNGS, NAN, dice, overlap
from lungcli.nn.callbacks import VAL_DICE
from lungcli.workflows.shared.datasets import DatasetCase

_LUNGS: Final = tuple(lung.key for lung in anatomy.LUNGS)


class ValidationScorer:
    """Score predictions per image, at the size the masks were prepared in.

    Dice of the thresholded mask, not of the probabilities, and a mean over images,
    not over the pixels of a batch.

    Args:
        cases: Validation cases, in the order of the predictions.
        threshold: Probability from which a pixel counts as lung.
        structures: Keys of what the network draws, in the order of its channels.
    """

    def __init__(
        self,
        cases: Sequence[DatasetCase],
        *,
        threshold: float,
        structures: Sequence[str] = _LUNGS,
    ) -> None:
        self._structures = tuple(structures)
        self._truths = [self._truth(owned) for owned in cases]
        self._sources = [case.source for _, case in cases]
        self._threshold = threshold

    def __call__(self, batches: Iterable[NDArray[np.float32]]) -> dict[str, float]:
        """Return the mean Dice, of all and, if there are several, of each source.

        Args:
            batches: Probabilities of all cases, each batch float32
                `(n, size, size, structures)`.

        Returns:
            `val_dice` of the lungs and `val_dice_<source>`, in [0, 1]; and of what else
            is drawn and known `val_dice_<structure>`.
        """
        scored = [
            self._dice(probability, truth)
            for probability, truth in zip(
                chain.from_iterable(batches), self._truths, strict=True
            )
        ]
        scores = [each[LUNGS] for each in scored]
        means = {VAL_DICE: _mean(scores)}
        names = sorted(set(self._sources))
        if len(names) > 1:
            for name in names:
                own = [
                    s for s, n in zip(scores, self._sources, strict=True) if n == name
                ]
                means[f"{VAL_DICE}_{name}"] = _mean(own)
        for key in self._structures:
            if any(key in each for each in scored):
                means[f"{VAL_DICE}_{key}"] = _mean(
                    [each.get(key, NAN) for each in scored]
                )
        return means

    def _truth(self, owned: DatasetCase) -> "_Truth":
        dataset, case = owned
        labels = dataset.read_mask(case)
        is_known = labels != IGNORE
        masks = {LUNGS: _pack(is_lung(labels))}
        for key in self._structures[len(_LUNGS) :]:
            if dataset.knowledge(case.source)[key] is not Knowledge.ABSENT:
                masks[key] = _pack(labels == BY_KEY[key].label)
        return _Truth(masks, None if is_known.all() else _pack(is_known))

    def _dice(
        self, probabilities: NDArray[np.float32], truth: "_Truth"
    ) -> dict[str, float]:
        is_known = None if truth.is_known is None else _unpack(*truth.is_known)
        scores = {}
        for key, mask in truth.masks.items():
            predicted = self._lung_mask(
                probabilities[..., self._channels(key)], mask[1]
            )
            if is_known is not None:
                predicted &= is_known
            scores[key] = dice(overlap(_unpack(*mask), predicted))
        return scores

    def _channels(self, key: str) -> list[int]:
        parts = _LUNGS if key == LUNGS else (key,)
        return [self._structures.index(part) for part in parts]

    def _lung_mask(self, probabilities: NDArray[np.float32], side: int) -> Mask:
        scaled = from_square(
            probabilities.sum(axis=-1, keepdims=True), fit_square(side, side, side)
        )
        return lung_mask(scaled, threshold=self._threshold)


_Packed = tuple[NDArray[np.uint8], int]


class _Truth(NamedTuple):
    """The masks of a case, a bit a pixel: those of all cases stay in memory."""

    masks: Mapping[str, _Packed]
    is_known: _Packed | None  # None where all of it is


def _pack(mask: NDArray[np.bool_]) -> _Packed:
    return np.packbits(mask), mask.shape[0]


def _unpack(bits: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    pixels = np.unpackbits(bits, count=side * side)
    return pixels.astype(np.bool_).reshape(side, side)


def _mean(scores: Sequence[float]) -> float:
    defined = [score for score in scores if not math.isnan(score)]
    return sum(defined) / len(defined) if defined else math.nan
