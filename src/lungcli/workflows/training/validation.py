"""The validation Dice that chooses the best weights."""

import math
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from lungcli.data.geometry import fit_square
from lungcli.data.restoring import from_square
from lungcli.masks.labels import lung_mask
from lungcli.metrics.overlap import dice, overlap
from lungcli.nn.callbacks import VAL_DICE
from lungcli.workflows.shared.datasets import DatasetCase


class ValidationScorer:
    """Score predictions per image, at the size the masks were prepared in.

    Dice of the thresholded mask, not of the probabilities, and a mean over images,
    not over the pixels of a batch.

    Args:
        cases: Validation cases, in the order of the predictions.
        threshold: Probability from which a pixel counts as lung.
    """

    def __init__(self, cases: Sequence[DatasetCase], *, threshold: float) -> None:
        # a bit a pixel: the masks of all cases stay in memory
        self._masks = [_pack(dataset.read_mask(case) > 0) for dataset, case in cases]
        self._sources = [case.source for _, case in cases]
        self._threshold = threshold

    def __call__(self, batches: Iterable[NDArray[np.float32]]) -> dict[str, float]:
        """Return the mean Dice, of all and, if there are several, of each source.

        Args:
            batches: Probabilities of right and left lung of all cases, each batch
                float32 `(n, size, size, 2)`.

        Returns:
            `val_dice` and `val_dice_<source>`, in [0, 1].
        """
        scores = [
            self._dice(probability, _unpack(*mask))
            for probability, mask in zip(
                chain.from_iterable(batches), self._masks, strict=True
            )
        ]
        means = {VAL_DICE: _mean(scores)}
        names = sorted(set(self._sources))
        if len(names) > 1:
            for name in names:
                own = [
                    s for s, n in zip(scores, self._sources, strict=True) if n == name
                ]
                means[f"{VAL_DICE}_{name}"] = _mean(own)
        return means

    def _dice(
        self, probabilities: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> float:
        side = mask.shape[0]
        scaled = from_square(
            probabilities.sum(axis=-1, keepdims=True), fit_square(side, side, side)
        )
        return dice(overlap(mask, lung_mask(scaled, threshold=self._threshold)))


def _pack(mask: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], int]:
    return np.packbits(mask), mask.shape[0]


def _unpack(bits: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    pixels = np.unpackbits(bits, count=side * side)
    return pixels.astype(np.bool_).reshape(side, side)


def _mean(scores: Sequence[float]) -> float:
    defined = [score for score in scores if not math.isnan(score)]
    return sum(defined) / len(defined) if defined else math.nan
