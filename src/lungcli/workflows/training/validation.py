"""The validation Dice that chooses the best weights."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lungcli import anatomy
from lungcli.anatomy import BY_KEY, Knowledge
from lungcli.arrays import is_lung
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
        self._masks = [self._packed(owned) for owned in cases]
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
            self._dice(probability, masks)
            for probability, masks in zip(
                chain.from_iterable(batches), self._masks, strict=True
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

    def _packed(self, owned: DatasetCase) -> dict[str, "_Packed"]:
        """Return the masks of a case, a bit a pixel: those of all stay in memory."""
        dataset, case = owned
        labels = dataset.read_mask(case)
        masks = {LUNGS: _pack(is_lung(labels))}
        for key in self._structures[len(_LUNGS) :]:
            if dataset.knowledge(case.source)[key] is not Knowledge.ABSENT:
                masks[key] = _pack(labels == BY_KEY[key].label)
        return masks

    def _dice(
        self, probabilities: NDArray[np.float32], masks: Mapping[str, "_Packed"]
    ) -> dict[str, float]:
        return {
            key: self._dice_of(probabilities[..., self._channels(key)], _unpack(*mask))
            for key, mask in masks.items()
        }

    def _channels(self, key: str) -> list[int]:
        parts = _LUNGS if key == LUNGS else (key,)
        return [self._structures.index(part) for part in parts]

    def _dice_of(
        self, probabilities: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> float:
        side = mask.shape[0]
        scaled = from_square(
            probabilities.sum(axis=-1, keepdims=True), fit_square(side, side, side)
        )
        return dice(overlap(mask, lung_mask(scaled, threshold=self._threshold)))


_Packed = tuple[NDArray[np.uint8], int]


def _pack(mask: NDArray[np.bool_]) -> _Packed:
    return np.packbits(mask), mask.shape[0]


def _unpack(bits: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    pixels = np.unpackbits(bits, count=side * side)
    return pixels.astype(np.bool_).reshape(side, side)


def _mean(scores: Sequence[float]) -> float:
    defined = [score for score in scores if not math.isnan(score)]
    return sum(defined) / len(defined) if defined else math.nan
