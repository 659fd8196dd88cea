"""What the masks of a source leave open to a network that draws more than they do."""

from collections.abc import Sequence

import numpy as np

from lungcli.anatomy import (
    ANY_OF,
    BACKGROUND,
    BY_LABEL,
    Knowledge,
    any_of,
)
from lungcli.arrays import LabelMap
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
    dataset, case = owned
    known = dataset.knowledge(case.source)
    absent = [each for each in drawn if known[BY_LABEL[each].key] is Knowledge.ABSENT]
    outside = any_of(BACKGROUND, *absent) if absent else BACKGROUND
    values = np.arange(256, dtype=np.uint8)
    values[[BACKGROUND, *(each for each in BY_LABEL if each not in drawn)]] = outside
    mask: LabelMap = values[labels]
    return mask


def is_partial(mask: LabelMap) -> bool:
    """Tell whether a mask leaves open what some pixels are."""
    return bool((mask >= ANY_OF).any())
