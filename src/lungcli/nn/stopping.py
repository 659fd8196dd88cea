"""Where a training may be stopped."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from lungcli.nn.distribution import anywhere, this_process


class StopRequests(keras.callbacks.Callback):
    """Stop where nothing is half done: between two steps, or when an epoch is saved.

    After the last step of an epoch it is worth waiting for what it leaves. Comes after
    the callback that saves the state. Several processes stop together, after an epoch:
    one that stopped alone would leave the others waiting for its part of a step.

    Args:
        deliver: Raises KeyboardInterrupt if a stop was asked for.
        items: What Keras counts as batches, in an epoch.
    """

    def __init__(self, deliver: Callable[[], None], items: int) -> None:
        super().__init__()
        self.deliver = deliver
        self.items = items

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Stop after any step but the last."""
        del logs
        if batch + 1 < self.items and this_process().count == 1:
            self.deliver()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stop after an epoch."""
        del epoch, logs
        if this_process().count == 1:
            self.deliver()
        elif anywhere(self._is_asked()):
            raise KeyboardInterrupt

    def _is_asked(self) -> bool:
        try:
            self.deliver()
        except KeyboardInterrupt:
            return True
        return False
