"""Residual U-Net that works at a quarter of the resolution: the default network.

Convolutions at full resolution take most of a U-Net's time and, for shapes as smooth
as lungs, add nothing that could be measured. A strided stem goes straight to a
quarter; a transposed convolution, whose kernels overlap, paints the logits.

References:
    Ronneberger et al. (2015), U-Net, https://doi.org/10.48550/arXiv.1505.04597
    He et al. (2016), residual blocks, https://doi.org/10.1109/CVPR.2016.90
    Odena et al. (2016), Deconvolution and checkerboard artifacts,
        https://doi.org/10.23915/distill.00003
"""

from collections.abc import Callable
from typing import Final

import keras
from keras import layers

from lungcli.nn.bilinear import BilinearKernel
from lungcli.nn.blocks import (
    LOGITS,
    check_input_size,
    convolution,
    normalized,
    structure_probabilities,
)

STEM = 4  # pixels of the input per cell of the first level, each way
MAX_FILTERS = 256


def build_stem_unet(
    size: int,
    *,
    num_structures: int = 2,
    filters: int = 16,
    depth: int = 4,
    dtype: str = "float32",
    normalization: str = "equalized",
    head: str = "smooth",
) -> keras.Model:
    """Build the stem-4 residual U-Net.

    Args:
        size: Height and width of the input; divisible by `4 * 2**depth`.
        num_structures: What it draws, beside the background.
        filters: Filters at a quarter of the resolution; doubled at each level
            below, up to 256.
        depth: Number of poolings after the stem.
        dtype: Keras dtype policy of the layers, e.g. `"mixed_bfloat16"`.
        normalization: As `blocks.normalized` takes it.
        head: `smooth` or `cells`.

    Returns:
        Model from float32 `(batch, size, size, 1)` in [0, 1] to float32
        probabilities `(batch, size, size, num_structures)`.

    Raises:
        ValueError: If size is not divisible by `4 * 2**depth`.
    """
    check_input_size(size, STEM * 2**depth)
    most = max(filters, MAX_FILTERS)
    widths = [min(filters * 2**level, most) for level in range(depth + 1)]
    inputs = keras.Input((size, size, 1), name="image")
    x = normalized(inputs, normalization)
    x = layers.Conv2D(widths[0], STEM, strides=STEM, dtype=dtype, name="stem")(x)
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
    logits = _HEADS[head](x, 1 + num_structures, dtype=dtype)
    return keras.Model(inputs, structure_probabilities(logits), name="stem_unet")


def _smooth(x: keras.KerasTensor, num_classes: int, *, dtype: str) -> keras.KerasTensor:
    """Paint cells that overlap, each pixel by the four cells around it.

    Cells that are painted by themselves keep their edges where little was learned, and
    where the network is in doubt: outlines with teeth.
    """
    return layers.Conv2DTranspose(
        num_classes,
        2 * STEM,
        strides=STEM,
        padding="same",
        kernel_initializer=BilinearKernel(),
        dtype=dtype,
        name=LOGITS,
    )(x)


def _cells(x: keras.KerasTensor, num_classes: int, *, dtype: str) -> keras.KerasTensor:
    """Paint the 4x4 pixels of each cell by themselves, as networks did once."""
    return layers.Conv2DTranspose(
        num_classes, STEM, strides=STEM, dtype=dtype, name=LOGITS
    )(x)


_HEADS: Final[dict[str, Callable[..., keras.KerasTensor]]] = {
    "smooth": _smooth,
    "cells": _cells,
}


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
