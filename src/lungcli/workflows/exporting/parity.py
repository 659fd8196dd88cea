"""Does an exported network draw the lungs that the original draws?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lungcli.arrays import LabelMap
from lungcli.errors import ModelError
from lungcli.metrics.overlap import dice, overlap_by_lung
from lungcli.system.progress import Progress, silent
from lungcli.workflows.exporting.trial_xrays import FittedXray
from lungcli.workflows.shared.inference import LungModel

_SIDES: Final = ("right", "left")
_BATCH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How far two networks agree.

    Attributes:
        num_xrays: X-rays in which either of them finds a lung.
        mean_dice: Over these; of each, that of the lung in which the two label maps
            differ more.
        lowest_dice: The lowest of these.
        lowest_name: The X-ray that has it.
        largest_difference: Of a probability, on the network's grid.
    """

    num_xrays: int
    mean_dice: float
    lowest_dice: float
    lowest_name: str
    largest_difference: float


def compare(
    original: LungModel,
    exported: LungModel,
    xrays: Sequence[FittedXray],
    *,
    progress: Progress = silent,
) -> Parity:
    """Compare the label maps of two networks, each on the X-ray's own pixel grid.

    Args:
        original: The network.
        exported: The same, in another format.
        xrays: Of the size of both.
        progress: Told after each batch.

    Raises:
        ModelError: If neither finds a lung in any X-ray.
    """
    scores: list[tuple[str, float]] = []
    difference = 0.0
    progress("parity", 0, len(xrays))
    for start in range(0, len(xrays), _BATCH):
        batch = xrays[start : start + _BATCH]
        squares = np.stack([xray.square for xray in batch])[..., None]
        pair = [
            model.predictor.probabilities(squares) for model in (original, exported)
        ]
        difference = max(difference, float(np.abs(pair[0] - pair[1]).max()))
        for xray, one, other in zip(batch, *pair, strict=True):
            before, after = (
                original.restore(original.clean(probabilities), xray.geometry)
                for probabilities in (one, other)
            )
            scores.append((xray.name, lower_dice(before, after)))
        progress("parity", start + len(batch), len(xrays))
    return _summary(scores, difference)


def lower_dice(one: LabelMap, other: LabelMap) -> float:
    """Return the Dice of the lung in which two label maps differ more.

    NaN if neither has any lung.
    """
    counts = overlap_by_lung(one, other)
    scores = [dice(counts[side]) for side in _SIDES]
    return min((score for score in scores if not np.isnan(score)), default=float("nan"))


def _summary(scores: Sequence[tuple[str, float]], difference: float) -> Parity:
    known = [(name, score) for name, score in scores if not np.isnan(score)]
    if not known:
        msg = (
            f"the network finds no lung in any of {len(scores)} X-rays, so nothing "
            "shows that an export computes the same. Name others with --data, or train "
            "it for more epochs."
        )
        raise ModelError(msg)
    name, lowest = min(known, key=lambda scored: scored[1])
    return Parity(
        num_xrays=len(known),
        mean_dice=float(np.mean([score for _, score in known])),
        lowest_dice=lowest,
        lowest_name=name,
        largest_difference=difference,
    )
