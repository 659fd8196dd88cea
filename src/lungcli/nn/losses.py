"""What training makes small."""

from typing import Any

from keras import ops

from lungcli.nn.fused import fused

_SMALLEST = 1e-6  # keeps the logarithm finite in float32
_ROUNDING = 1e-3  # of shares that warping has mixed


def soft_dice(mask: Any, probabilities: Any) -> Any:
    """Return the soft Dice of each image and structure.

    Per image, not pooled over the batch: pooled, a small lung that was missed
    entirely hardly counts beside the large ones.

    Args:
        mask: Share of each structure in each pixel, float32
            `(batch, height, width, structures)`.
        probabilities: Of the same shape, in [0, 1].

    Returns:
        float32 `(batch, structures)` in [0, 1]; 1 if mask and probabilities are empty.

    References:
        Milletari et al. (2016), V-Net, https://doi.org/10.1109/3DV.2016.79
    """
    axes = (1, 2)
    overlap = ops.sum(mask * probabilities, axes)
    total = ops.sum(mask, axes) + ops.sum(probabilities, axes)
    return (2.0 * overlap + 1.0) / (total + 1.0)


def cross_entropy(mask: Any, logs: Any) -> Any:
    """Return the cross-entropy of background and structures.

    Args:
        mask: As in `soft_dice`; what is left to 1 is background.
        logs: Logarithms of the probabilities of background and structures, float32
            `(batch, height, width, 1 + structures)`.

    Returns:
        float32 `(batch,)`, in nats, averaged over the pixels.
    """
    background = 1.0 - ops.sum(mask, axis=-1)
    information = ops.sum(mask * logs[..., 1:], axis=-1) + background * logs[..., 0]
    return -ops.mean(information, axis=(1, 2))


@fused
def segmentation_loss(shares: Any, logits: Any) -> Any:
    """Return what training makes small, and the soft Dice that is shown.

    Args:
        shares: Share of each structure, float32 `(batch, structures, height, width)`.
        logits: What the softmax over background and structures takes,
            `(batch, height, width, 1 + structures)`.

    Returns:
        float32 `(2, batch)`: soft Dice loss plus cross-entropy, and the soft Dice.
    """
    mask = ops.moveaxis(shares, 1, -1)
    # From the logits, not from probabilities: it stays exact where one is nearly 0.
    logs = ops.log_softmax(ops.cast(logits, "float32"))
    dice = ops.mean(soft_dice(mask, ops.exp(logs[..., 1:])), axis=-1)
    return ops.stack([1.0 - dice + cross_entropy(mask, logs), dice])


@fused
def partial_loss(planes: Any, logits: Any) -> Any:
    """Return the same where masks leave open what some pixels are.

    Where one thing is known, or a mixture at a border, the loss is the cross-entropy.
    Where a pixel may be one of several, it is the logarithm of their probabilities'
    sum: between these the network is free. A structure's Dice counts the pixels of
    which it is known whether they are it.

    Args:
        planes: What each pixel may be, background first, float32
            `(batch, 1 + structures, height, width)` in [0, 1].
        logits: As in `segmentation_loss`.

    Returns:
        As `segmentation_loss`.

    References:
        Shi et al. (2021), Marginal loss and exclusion loss for partially supervised
        multi-organ segmentation, https://doi.org/10.1016/j.media.2021.101979
    """
    may_be = ops.moveaxis(planes, 1, -1)
    logs = ops.log_softmax(ops.cast(logits, "float32"))
    probabilities = ops.exp(logs)
    is_known = ops.sum(may_be, axis=-1, keepdims=True) < 1.0 + _ROUNDING
    one = -ops.sum(may_be * logs, axis=-1)
    any_of = ops.maximum(ops.sum(may_be * probabilities, axis=-1), _SMALLEST)
    information = ops.where(is_known[..., 0], one, -ops.log(any_of))
    counts = ops.logical_or(is_known, may_be < _ROUNDING)[..., 1:]
    counts = ops.cast(counts, "float32")
    by_structure = soft_dice(may_be[..., 1:] * counts, probabilities[..., 1:] * counts)
    dice = ops.mean(by_structure, axis=-1)
    return ops.stack([1.0 - dice + ops.mean(information, axis=(1, 2)), dice])


def logits_of(probabilities: Any) -> Any:
    """Return logits whose softmax gives the probabilities of the structures."""
    background = 1.0 - ops.sum(probabilities, axis=-1, keepdims=True)
    classes = ops.concatenate([background, probabilities], axis=-1)
    return ops.log(ops.maximum(classes, _SMALLEST))
