"""Pieces that both networks are made of."""

import keras
from keras import layers

from lungcli.nn.normalization import CentralEqualization

LOGITS = "logits"  # name of the layer before the softmax


def convolution(
    x: keras.KerasTensor, filters: int, *, dtype: str, name: str, relu: bool = True
) -> keras.KerasTensor:
    """3x3 convolution, batch norm and, unless told otherwise, ReLU; size unchanged."""
    x = layers.Conv2D(
        filters, 3, padding="same", use_bias=False, dtype=dtype, name=f"{name}_conv"
    )(x)
    # 0.9, not Keras' 0.99: small data sets have few steps to average over
    x = layers.BatchNormalization(momentum=0.9, dtype=dtype, name=f"{name}_norm")(x)
    return layers.ReLU(dtype=dtype, name=f"{name}_relu")(x) if relu else x


def structure_probabilities(logits: keras.KerasTensor) -> keras.KerasTensor:
    """Softmax over background and structures, without the background.

    One softmax, not sigmoids: the probability of "lung" is then the plain sum
    of the two channels, also where the sides are in doubt. float32 even under mixed
    precision: what is near 0 or 1 is kept apart.
    """
    return layers.Softmax(dtype="float32", name="softmax")(logits)[..., 1:]


def check_input_size(size: int, stride: int) -> None:
    """Refuse an input size that the poolings do not divide.

    Raises:
        ValueError: If `size` is not a positive multiple of `stride`.
    """
    if size <= 0 or size % stride:
        msg = (
            f"size {size}: the network needs a multiple of {stride}. "
            "Change the size or take a smaller depth."
        )
        raise ValueError(msg)


def normalized(image: keras.KerasTensor, normalization: str) -> keras.KerasTensor:
    """Return what the first convolution sees of an image.

    Args:
        image: In [0, 1], one channel.
        normalization: `equalized`, which makes two channels of it, or `none`.
    """
    if normalization == "none":
        return image
    return CentralEqualization(name="normalization")(image)
