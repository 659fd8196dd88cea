"""What training makes small."""

from typing import Any

from keras import ops

from lungcli.nn.fused import fused

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


def cross_entropy(mask: Any, logs: Any) -> Any:
    """Return the cross-entropy of background, right and left lung.

    Args:
        mask: As in `soft_dice`; what is left to 1 is background.
        logs: Logarithms of the probabilities of background, right and left lung,
            float32 `(batch, height, width, 3)`.

    Returns:
        float32 `(batch,)`, in nats, averaged over the pixels.
    """
    background = 1.0 - ops.sum(mask, axis=-1)
    information = ops.sum(mask * logs[..., 1:], axis=-1) + background * logs[..., 0]
    return -ops.mean(information, axis=(1, 2))


@fused
def segmentation_loss(lungs: Any, logits: Any) -> Any:
    """Return what training makes small, and the soft Dice that is shown.

    Args:
        lungs: Share of right and left lung, float32 `(batch, 2, height, width)`.
        logits: What the softmax over background, right and left lung takes,
            `(batch, height, width, 3)`.

    Returns:
        float32 `(2, batch)`: soft Dice loss plus cross-entropy, and the soft Dice.
    """
    mask = ops.moveaxis(lungs, 1, -1)
    # From the logits, not from probabilities: it stays exact where one is nearly 0.
    logs = ops.log_softmax(ops.cast(logits, "float32"))
    dice = ops.mean(soft_dice(mask, ops.exp(logs[..., 1:])), axis=-1)
    return ops.stack([1.0 - dice + cross_entropy(mask, logs), dice])


def logits_of(probabilities: Any) -> Any:
    """Return logits whose softmax gives the probabilities of right and left lung."""
    background = 1.0 - ops.sum(probabilities, axis=-1, keepdims=True)
    classes = ops.concatenate([background, probabilities], axis=-1)
    return ops.log(ops.maximum(classes, _SMALLEST))
