"""An X-ray and its reference, which a perturbation changes together."""

from typing import NamedTuple

from lungcli.arrays import Gray, LabelMap


class Sample(NamedTuple):
    """An X-ray with the label map that a perfect model would give for it.

    Attributes:
        image: Shape `(height, width)`.
        labels: Of the same shape.
    """

    image: Gray
    labels: LabelMap
