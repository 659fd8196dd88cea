"""The classic U-Net (Ronneberger et al. 2015, https://doi.org/10.48550/arXiv.1505.04597)."""

import keras
from keras import layers

from lungcli.nn.blocks import (
    LOGITS,
    check_input_size,
    convolution,
    normalized,
    structure_probabilities,
)


def build_unet(
    size: int,
    *,
    num_structures: int = 2,
    filters: int = 16,
    depth: int = 4,
    dtype: str = "float32",
    normalization: str = "equalized",
) -> keras.Model:
    """Build a U-Net that maps CXRs to the probabilities of either lung.

    Differs from the paper in what later practice settled: batch norm, padded
    convolutions (the output is as large as the input) and bilinear upsampling.

    Args:
        size: Height and width of the input; divisible by `2**depth`.
        num_structures: What it draws, beside the background.
        filters: Filters of the first level; doubled at each level below.
        depth: Number of poolings.
        dtype: Keras dtype policy of the layers, e.g. `"mixed_bfloat16"`.
        normalization: As `blocks.normalized` takes it.

    Returns:
        Model from float32 `(batch, size, size, 1)` in [0, 1] to float32
        probabilities `(batch, size, size, num_structures)`.

    Raises:
        ValueError: If size is not divisible by `2**depth`.
    """
    check_input_size(size, 2**depth)
    inputs = keras.Input((size, size, 1), name="image")
    x = normalized(inputs, normalization)
    skips = []
    for level in range(depth):
        x = _twice(x, filters * 2**level, dtype=dtype, name=f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(dtype=dtype, name=f"pool{level}")(x)
    x = _twice(x, filters * 2**depth, dtype=dtype, name="bottom")
    for level in reversed(range(depth)):
        x = layers.UpSampling2D(
            interpolation="bilinear", dtype=dtype, name=f"upsample{level}"
        )(x)
        x = layers.Concatenate(dtype=dtype, name=f"skip{level}")([skips[level], x])
        x = _twice(x, filters * 2**level, dtype=dtype, name=f"up{level}")
    x = layers.Conv2D(1 + num_structures, 1, dtype=dtype, name=LOGITS)(x)
    return keras.Model(inputs, structure_probabilities(x), name="unet")


def _twice(
    x: keras.KerasTensor, filters: int, *, dtype: str, name: str
) -> keras.KerasTensor:
    for i in (1, 2):
        x = convolution(x, filters, dtype=dtype, name=f"{name}_{i}")
    return x
