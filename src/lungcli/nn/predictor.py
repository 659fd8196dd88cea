"""A trained network on Keras, that turns CXRs into probabilities."""

import threading
from pathlib import Path
from typing import Self

import keras
import numpy as np
from numpy.typing import NDArray

from lungcli.model.info import ModelInfo, load_info
from lungcli.nn.distribution import split_batch
from lungcli.nn.model_file import load_network


class KerasPredictor:
    """Load once, predict many; several threads may share it.

    Args:
        network: Maps float32 `(batch, size, size, 1)` in [0, 1] to probabilities
            `(batch, size, size, structures)`.
        info: What is known about it.
        batch_size: Images per call of the network.
    """

    def __init__(
        self, network: keras.Model, info: ModelInfo, *, batch_size: int = 8
    ) -> None:
        self._network = network
        self._lock = threading.Lock()  # Keras compiles at the first call
        self.info = info
        self.batch_size = batch_size

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model from a run folder.

        Raises:
            ModelError: If the folder holds no usable model.
        """
        info = load_info(folder)
        return cls(load_network(folder, info, dtype="float32"), info)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of the structures.

        Args:
            images: CXRs, uint8 `(n, size, size, 1)` of the model's size.

        Returns:
            float32 `(n, size, size, structures)`.
        """
        with self._lock:
            return predict_in_batches(self._network, images, self.batch_size)


def predict_in_batches(
    network: keras.Model, images: NDArray[np.uint8], batch_size: int
) -> NDArray[np.float32]:
    """Run a network over uint8 images of any number, in batches of one shape.

    The last batch is filled up, since every new shape is compiled anew. In a training
    on several devices each predicts a part of it.
    """
    parts = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size].astype(np.float32) / 255
        missing = batch_size - len(batch)
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), "f4")])
        predicted = network.predict_on_batch(split_batch(filled))
        parts.append(predicted[: len(batch)])
    return np.concatenate(parts)
