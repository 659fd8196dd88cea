"""What the masks of a source leave open to a network that draws more than they do."""

from collections.abc import Sequence

import numpy as np

from lungcli.anatomy import (
    ANY_OF,
    BACKGROUND,
    BY_KEY,
    BY_LABEL,
    LUNGS,
    Knowledge,
    any_of,
)
from lungcli.arrays import LabelMap
from lungcli.data.case import Convention
from lungcli.workflows.shared.datasets import DatasetCase


def what_may_be(labels: LabelMap, owned: DatasetCase, drawn: Sequence[int]) -> LabelMap:
    """Return a mask that says of each pixel what it may be (`anatomy.any_of`).

    Where a source does not know a structure, its background may be that, too. What the
    network does not draw is background.

    Args:
        labels: Of a prepared mask.
        owned: The case, with its data set.
        drawn: Labels of what the network draws.

    Returns:
        Of the same shape.
    """
    known = knowledge_of(owned)
    absent = [each for each in drawn if known[BY_LABEL[each].key] is Knowledge.ABSENT]
    outside = any_of(BACKGROUND, *absent) if absent else BACKGROUND
    values = np.arange(256, dtype=np.uint8)
    values[[BACKGROUND, *(each for each in BY_LABEL if each not in drawn)]] = outside
    mask: LabelMap = values[labels]
    return mask


def is_partial(mask: LabelMap) -> bool:
    """Tell whether a mask leaves open what some pixels are."""
    return bool((mask >= ANY_OF).any())


def knowledge_of(owned: DatasetCase) -> dict[str, Knowledge]:
    """Return what the masks of a case's source know of each structure."""
    dataset, _ = owned
    lungs = {
        Convention.HEART_EXCLUDED: Knowledge.EXACT,
        Convention.HEART_INCLUDED: Knowledge.WITH_HEART,
        Convention.UNKNOWN: Knowledge.UNDECLARED,
    }[dataset.convention]
    of_lungs = {lung.key for lung in LUNGS}
    return {key: lungs if key in of_lungs else Knowledge.ABSENT for key in BY_KEY}
