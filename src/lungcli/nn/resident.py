"""Whole epochs on the device: the data set lies there, and no Python runs in between.

On a GPU a step of the default network takes less time than Python needs to start it.
JAX can run all steps of an epoch in one call, which reads its batches from a copy of
the data set in the memory of the device. On TensorFlow, on several devices, and where
the data set does not fit, the batches are streamed (`nn.batches`).
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lungcli.nn.batches import Batches
from lungcli.nn.precision import on_cpu
from lungcli.nn.segmenter import Segmenter

_SHARE = 0.25  # of the memory of the device; the network needs the rest
_UNKNOWN = 4 * 2**30  # bytes of a device that does not tell


class ResidentBatches(keras.utils.PyDataset):
    """Yield one epoch as one item: the data set, and the order of its steps.

    The item is `({"images": ..., "masks": ..., "chosen": ...},)`: uint8
    `(n, side, side, 1)` twice, on the device, and int32 `(steps, batch)`.

    Args:
        batches: The generator whose steps these are.
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches
        every = np.arange(len(batches.images))
        self._images = ops.convert_to_tensor(batches.images[every])
        self._masks = ops.convert_to_tensor(batches.masks[every])

    @property
    def images_per_item(self) -> int:
        """Training images in an epoch."""
        return len(self.batches) * self.batches.batch_size

    def __len__(self) -> int:
        """Return the number of items in an epoch."""
        return 1

    def __getitem__(self, index: int) -> tuple[dict[str, Any]]:
        """Return the current epoch."""
        del index
        chosen: NDArray[np.int64] = self.batches.order()[: self.images_per_item]
        steps = chosen.astype(np.int32).reshape(-1, self.batches.batch_size)
        return ({"images": self._images, "masks": self._masks, "chosen": steps},)


class ResidentSegmenter(Segmenter):
    """The segmenter whose train step is an epoch of `ResidentBatches`; on JAX only."""

    def train_step(self, state: Any, data: Any) -> Any:
        """Run the steps of an epoch one after the other, in one program.

        Args:
            state: Variables, as Keras' JAX trainer passes them.
            data: An item of `ResidentBatches`.

        Returns:
            Logs of the epoch, and the new state.
        """
        (epoch,) = data
        one_step = super().train_step

        def step(state: Any, chosen: Any) -> Any:
            pair = {
                "image": ops.take(epoch["images"], chosen, axis=0),
                "mask": ops.take(epoch["masks"], chosen, axis=0),
            }
            logs, state = one_step(state, (pair,))
            return state, logs

        state, logs = ops.scan(step, state, epoch["chosen"])
        # metrics are means since the start of the epoch: the last one is that of all
        return keras.tree.map_structure(lambda values: values[-1], logs), state


def fits_on_device(batches: Batches) -> bool:
    """Tell whether training can run on data that lie on the device."""
    if keras.backend.backend() != "jax" or on_cpu():
        return False
    return batches.images.nbytes + batches.masks.nbytes < _SHARE * _device_memory()


def _device_memory() -> int:
    import jax  # noqa: PLC0415 - only where it is the backend

    stats = jax.devices()[0].memory_stats() or {}
    return int(stats.get("bytes_limit", _UNKNOWN))
