"""From the masks that a training reads to one plane a structure, on the device."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

from keras import ops

from lungcli.anatomy import ANY_OF, BACKGROUND, LUNG_LABELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """Which planes a network learns from.

    One plane per structure: XLA goes through planes several times faster than through
    several numbers a pixel.

    Attributes:
        labels: Of the structures that the network draws, in the order of its channels.
        partial: Whether masks may leave open what a pixel is (`anatomy.any_of`). Then
            the background has a plane, too, the first one, and what a pixel may be is 1
            in more than one of them.
    """

    labels: tuple[int, ...] = LUNG_LABELS
    partial: bool = False

    @property
    def wanted(self) -> tuple[int, ...]:
        """Label of each plane."""
        return (BACKGROUND, *self.labels) if self.partial else self.labels

    def split(self, masks: Any) -> Any:
        """Return what each pixel may be.

        Args:
            masks: uint8 `(batch, side, side, 1)`.

        Returns:
            float32 `(batch, planes, side, side)`, 0 or 1.
        """
        return ops.stack([self.of(masks, label) for label in self.wanted], axis=1)

    def of(self, masks: Any, label: int) -> Any:
        """Return where masks may be of one label, float32 `(batch, side, side)`.

        What the network does not draw is background.
        """
        pixels = masks[..., 0]
        if label == BACKGROUND:
            others = [ops.equal(pixels, each) for each in self.labels]
            found = ops.logical_not(reduce(ops.logical_or, others))
            found = ops.logical_and(found, ops.less(pixels, ANY_OF))
        else:
            found = ops.equal(pixels, label)
        if self.partial:
            number = ops.cast(pixels, "int32")
            bit = ops.bitwise_and(number, 1 << label) > 0
            found = ops.logical_or(found, ops.logical_and(number >= ANY_OF, bit))
        return ops.cast(found, "float32")
