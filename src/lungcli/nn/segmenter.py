"""The model that `fit` sees: augmentation, network and loss in one device program."""

from typing import Any

import keras
from keras import ops

from lungcli.nn.augment import Augment, one_hot
from lungcli.nn.losses import cross_entropy, soft_dice


class Segmenter(keras.Model):
    """Wrap a network so that `fit` needs only uint8 pairs.

    Nothing here belongs to one backend: `call` and `compute_loss` are hooks that
    Keras runs the same way on TensorFlow and JAX. Only `network` is saved for
    prediction.

    Args:
        network: Maps float32 `(batch, height, width, 1)` in [0, 1] to probabilities
            `(batch, height, width, 2)`. It may compute in bfloat16.
        augment: Changes the pairs, in training only.
    """

    def __init__(
        self, network: keras.Model, augment: Augment | None = None, **kwargs: Any
    ) -> None:
        # float32, or mixed precision would round the pair before it is warped
        super().__init__(dtype="float32", **kwargs)
        self.network = network
        self.augment = augment
        self.dice = keras.metrics.Mean(name="soft_dice")

    def build(self, input_shape: dict[str, tuple[int, ...]]) -> None:
        """Have nothing to build: the network came built."""
        del input_shape
        self.built = True

    def call(self, pair: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the probabilities and the mask that they are to match."""
        image = ops.cast(pair["image"], "float32") / 255.0
        mask = one_hot(pair["mask"])
        if training and self.augment is not None:
            changed = self.augment({"image": image, "mask": mask})
            image, mask = changed["image"], changed["mask"]
        return {"probabilities": self.network(image, training=training), "mask": mask}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return soft Dice loss plus cross-entropy, each per image, then averaged."""
        del x, y, sample_weight, training
        mask, probabilities = y_pred["mask"], y_pred["probabilities"]
        dice = soft_dice(mask, probabilities)
        self.dice.update_state(dice)
        return ops.mean(1.0 - dice) + ops.mean(cross_entropy(mask, probabilities))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, float]:
        """Return what the callbacks see: the loss and the soft Dice."""
        del x, y, y_pred, sample_weight
        metrics: dict[str, float] = self.get_metrics_result()
        return metrics
