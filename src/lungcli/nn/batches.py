"""The data generators: batches of uint8 pairs, for training and for validation."""

import math

import keras
import numpy as np
from numpy.typing import NDArray

from lungcli.nn.distribution import ALONE, JointProcess
from lungcli.system.pixel_store import Pixels

# With more than one reader Keras takes threads of its own. Else it leaves the reading
# to tf.data, and some epochs were seen to start 1 to 3 s late.
_READERS = 2
_AHEAD = 4  # batches in the queue


class Batches(keras.utils.PyDataset):
    """Yield `({"image": ..., "mask": ...},)`, each uint8 `(batch, side, side, 1)`.

    uint8 makes the copy to the device four times smaller than float32; cast and
    augmentation happen there. The order depends on (seed, epoch) alone. Keras
    counts no epochs for us and reads batches ahead in threads, so a callback sets
    `epoch` before each one.

    Args:
        images: CXRs, uint8 `(n, side, side, 1)`, in memory or on disk.
        masks: Label maps of the same shape: 0, 1 right lung, 2 left lung.
        batch_size: Pairs per batch; a shuffled epoch drops the remainder, since
            batches of one shape are compiled once.
        shuffle: True for training, False for validation.
        seed: Same seed, same order.
        process: Of several that share each batch: yield the part of this one.

    Raises:
        ValueError: If the arrays differ in shape, or shuffled cases do not fill
            one batch.
    """

    def __init__(
        self,
        images: Pixels,
        masks: Pixels,
        *,
        batch_size: int,
        shuffle: bool,
        seed: int = 0,
        process: JointProcess = ALONE,
    ) -> None:
        super().__init__(workers=_READERS, max_queue_size=_AHEAD)
        if images.shape != masks.shape:
            msg = f"images {images.shape} and masks {masks.shape} differ in shape."
            raise ValueError(msg)
        if len(images) < (batch_size if shuffle else 1):
            msg = f"{len(images)} cases do not fill a batch of {batch_size}."
            raise ValueError(msg)
        self.images, self.masks = images, masks
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.process = process
        self.epoch = 0

    @property
    def images_per_item(self) -> int:
        """Cases in a full batch, of all processes."""
        return self.batch_size

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        batches = len(self.images) / self.batch_size
        return math.floor(batches) if self.shuffle else math.ceil(batches)

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[np.uint8]]]:
        """Return batch number `index` of the current epoch, or this process' part."""
        part = self.batch_size // self.process.count
        start = index * self.batch_size + self.process.index * part
        chosen = self.order()[start : start + part]
        return ({"image": self.images[chosen], "mask": self.masks[chosen]},)

    def order(self) -> NDArray[np.int64]:
        """Return the cases of the current epoch, in the order of its batches."""
        count = len(self.images)
        if not self.shuffle:
            return np.arange(count)
        return np.random.default_rng([self.seed, self.epoch]).permutation(count)
