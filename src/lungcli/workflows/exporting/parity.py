"""Does an exported network draw what the original draws?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lungcli.anatomy import LUNGS, Structure
from lungcli.arrays import LabelMap
from lungcli.errors import ModelError
from lungcli.metrics.overlap import dice, overlap
from lungcli.system.progress import Progress, silent
from lungcli.workflows.exporting.trial_xrays import FittedXray
from lungcli.workflows.shared.inference import LungModel

_BATCH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How far two networks agree.

    Attributes:
        num_structures: How many were compared.
        num_xrays: X-rays in which either of them finds something.
        mean_dice: Over these; of each, that of the structure in which the two label
            maps differ most.
        lowest_dice: The lowest of these.
        lowest_name: The X-ray that has it.
        largest_difference: Of a probability, on the network's grid.
    """

    num_structures: int
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
            lowest = lowest_dice(before, after, original.structures)
            scores.append((xray.name, lowest))
        progress("parity", start + len(batch), len(xrays))
    return _summary(scores, difference, len(original.structures))


def lowest_dice(
    one: LabelMap, other: LabelMap, structures: Sequence[Structure] = LUNGS
) -> float:
    """Return the Dice of the structure in which two label maps differ most.

    NaN if neither has any.
    """
    labels = [each.label for each in structures]
    scores = [dice(overlap(one == label, other == label)) for label in labels]
    return min((score for score in scores if not np.isnan(score)), default=float("nan"))


def _summary(
    scores: Sequence[tuple[str, float]], difference: float, num_structures: int
) -> Parity:
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
        num_structures=num_structures,
        num_xrays=len(known),
        mean_dice=float(np.mean([score for _, score in known])),
        lowest_dice=lowest,
        lowest_name=name,
        largest_difference=difference,
    )
