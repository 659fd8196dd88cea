"""Transposed convolutions that begin as bilinear interpolation."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("lungcli")
class BilinearKernel(keras.initializers.Initializer):
    """Kernels of a transposed convolution with a stride of half their side.

    Each output begins as a random mixture of the inputs, interpolated: neighbours
    overlap without a seam, which random kernels learn only in time.

    References:
        Long et al. (2015), Fully convolutional networks, 3.3,
        https://doi.org/10.1109/CVPR.2015.7298965
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return kernels of shape `(side, side, outputs, inputs)`."""
        side, _, outputs, inputs = shape
        ramp = 1.0 - np.abs((np.arange(side) + 0.5) * 2.0 / side - 1.0)
        mixture = keras.initializers.GlorotUniform()((outputs, inputs), dtype=dtype)
        weights = np.outer(ramp, ramp)[:, :, None, None].astype("float32")
        return keras.ops.multiply(weights, mixture)
