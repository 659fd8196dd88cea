"""What training makes small."""

from typing import Any

from keras import ops

_SMALLEST = 1e-6  # keeps the logarithm finite in float32


def soft_dice(mask: Any, probabilities: Any) -> Any:
    """Return the soft Dice of each image and lung.

    Per image, not pooled over the batch: pooled, a small lung that was missed
    entirely hardly counts beside the large ones.

    Args:
        mask: Share of each lung in each pixel, float32 `(batch, height, width, 2)`.
        probabilities: Of the same shape, in [0, 1].

    Returns:
        float32 `(batch, 2)` in [0, 1]; 1 if mask and probabilities are empty.

    References:
        Milletari et al. (2016), V-Net, https://doi.org/10.1109/3DV.2016.79
    """
    axes = (1, 2)
    overlap = ops.sum(mask * probabilities, axes)
    total = ops.sum(mask, axes) + ops.sum(probabilities, axes)
    return (2.0 * overlap + 1.0) / (total + 1.0)


def cross_entropy(mask: Any, probabilities: Any) -> Any:
    """Return the cross-entropy of background, right and left lung.

    Args:
        mask: As in `soft_dice`.
        probabilities: As in `soft_dice`; what is left to 1 is background.

    Returns:
        float32 `(batch,)`, in nats, averaged over the pixels.
    """
    background = 1.0 - ops.sum(mask, axis=-1)
    no_lung = 1.0 - ops.sum(probabilities, axis=-1)
    information = ops.sum(mask * ops.log(ops.maximum(probabilities, _SMALLEST)), -1)
    information += background * ops.log(ops.maximum(no_lung, _SMALLEST))
    return -ops.mean(information, axis=(1, 2))
