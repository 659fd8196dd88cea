"""Residual U-Net that works at a quarter of the resolution: the default network.

Convolutions at full resolution take most of a U-Net's time and, for shapes as smooth
as lungs, add nothing that could be measured. A strided stem goes straight to a
quarter; a transposed convolution paints the 4x4 pixels of each cell back.

References:
    Ronneberger et al. (2015), U-Net, https://doi.org/10.48550/arXiv.1505.04597
    He et al. (2016), residual blocks, https://doi.org/10.1109/CVPR.2016.90
    Shi et al. (2016), sub-pixel output, https://doi.org/10.1109/CVPR.2016.207
"""

import keras
from keras import layers

from lungcli.nn.blocks import (
    LOGITS,
    NUM_CLASSES,
    check_input_size,
    convolution,
    lung_probabilities,
)

STEM = 4  # pixels of the input per cell of the first level, each way
MAX_FILTERS = 256


def build_stem_unet(
    size: int, *, filters: int = 16, depth: int = 4, dtype: str = "float32"
) -> keras.Model:
    """Build the stem-4 residual U-Net.

    Args:
        size: Height and width of the input; divisible by `4 * 2**depth`.
        filters: Filters at a quarter of the resolution; doubled at each level
            below, up to 256.
        depth: Number of poolings after the stem.
        dtype: Keras dtype policy of the layers, e.g. `"mixed_bfloat16"`.

    Returns:
        Model from float32 `(batch, size, size, 1)` in [0, 1] to float32
        probabilities `(batch, size, size, 2)`: right lung, left lung.

    Raises:
        ValueError: If size is not divisible by `4 * 2**depth`.
    """
    check_input_size(size, STEM * 2**depth)
    most = max(filters, MAX_FILTERS)
    widths = [min(filters * 2**level, most) for level in range(depth + 1)]
    inputs = keras.Input((size, size, 1), name="image")
    x = layers.Conv2D(widths[0], STEM, strides=STEM, dtype=dtype, name="stem")(inputs)
    skips = []
    for level in range(depth):
        x = _residual(x, widths[level], dtype=dtype, name=f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(dtype=dtype, name=f"pool{level}")(x)
    x = _residual(x, widths[depth], dtype=dtype, name="bottom")
    for level in reversed(range(depth)):
        x = layers.UpSampling2D(
            interpolation="bilinear", dtype=dtype, name=f"upsample{level}"
        )(x)
        x = layers.Concatenate(dtype=dtype, name=f"skip{level}")([skips[level], x])
        x = _residual(x, widths[level], dtype=dtype, name=f"up{level}")
    x = layers.Conv2DTranspose(
        NUM_CLASSES, STEM, strides=STEM, dtype=dtype, name=LOGITS
    )(x)
    return keras.Model(inputs, lung_probabilities(x), name="stem_unet")


def _residual(
    x: keras.KerasTensor, filters: int, *, dtype: str, name: str
) -> keras.KerasTensor:
    shortcut = x
    if x.shape[-1] != filters:
        shortcut = layers.Conv2D(
            filters, 1, use_bias=False, dtype=dtype, name=f"{name}_shortcut"
        )(x)
    x = convolution(x, filters, dtype=dtype, name=f"{name}_1")
    x = convolution(x, filters, dtype=dtype, name=f"{name}_2", relu=False)
    x = layers.Add(dtype=dtype, name=f"{name}_add")([x, shortcut])
    return layers.ReLU(dtype=dtype, name=f"{name}_relu")(x)
