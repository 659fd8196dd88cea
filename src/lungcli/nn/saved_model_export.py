"""The network as a SavedModel of TensorFlow, for TensorFlow Serving among others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lungcli.model.export_formats import INPUT, OUTPUT, SIGNATURE
from lungcli.model.info import ModelInfo
from lungcli.nn import quiet_stderr
from lungcli.nn.onnx_precision import to_half


def write_saved_model(
    network: keras.Model, folder: Path, *, half: bool = False, batch: int | None = None
) -> None:
    """Write a SavedModel whose signature `serving_default` maps CXRs to probabilities.

    Its input `image` is float32 `(batch, size, size, 1)` in [0, 1], its output
    `probabilities` float32 `(batch, size, size, structures)`. There is nothing of Keras
    in it.

    Args:
        network: Built on TensorFlow, in float32.
        folder: Empty or not there.
        half: Whether to store the kernels in half precision; it computes in float32.
        batch: Images a call; None for any number.

    Raises:
        ModelError: If a kernel leaves the range of float16.
    """
    served = tf.Module()
    served.weights = [_stored(variable, half=half) for variable in network.variables]
    shape = (batch, *network.input_shape[1:])

    # not a method of what is saved: Keras' own variables would be saved with it
    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name=INPUT)])
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: _apply(network, served.weights, image)}

    with quiet_stderr():
        tf.saved_model.save(served, str(folder), signatures={SIGNATURE: serve})


def _apply(
    network: keras.Model, weights: Sequence[tf.Variable], image: tf.Tensor
) -> tf.Tensor:
    """Call a network with other weights than its own, given in the same order."""
    given = {
        variable.path: tf.cast(weight, tf.float32)
        for variable, weight in zip(network.variables, weights, strict=True)
    }
    probabilities, _ = network.stateless_call(
        [given[variable.path] for variable in network.trainable_variables],
        [given[variable.path] for variable in network.non_trainable_variables],
        image,
        training=False,
    )
    return probabilities


def _stored(variable: keras.Variable, *, half: bool) -> tf.Variable:
    values = np.asarray(variable)
    if half and values.ndim > 1:  # variances of batch normalization can leave the range
        values = to_half(Path(variable.path), variable.name, values)
    return tf.Variable(values, trainable=False, name=variable.name)


class SavedModelPredictor:
    """A SavedModel, called as other programs call it.

    Args:
        folder: Of `write_saved_model`.
        info: What is known about the network.
    """

    batch_size = 8

    def __init__(self, folder: Path, info: ModelInfo) -> None:
        self._loaded: Any = tf.saved_model.load(str(folder))  # owns the variables
        self._run = self._loaded.signatures[SIGNATURE]
        self.info = info

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of the structures.

        Args:
            images: CXRs, uint8 `(n, size, size, 1)` of the model's size.

        Returns:
            float32 `(n, size, size, structures)`.
        """
        batch = np.multiply(images, np.float32(1 / 255), dtype=np.float32)
        found = self._run(**{INPUT: tf.constant(batch)})[OUTPUT]
        probabilities: NDArray[np.float32] = found.numpy()
        return probabilities
