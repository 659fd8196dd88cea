"""The model that `fit` sees: augmentation, network and loss in one device program."""

from typing import Any

import keras
from keras import ops

from lungcli.nn.augment import Augment
from lungcli.nn.blocks import LOGITS
from lungcli.nn.losses import partial_loss, segmentation_loss


class Segmenter(keras.Model):
    """Wrap a network so that `fit` needs only uint8 pairs.

    Nothing here belongs to one backend: `call` and `compute_loss` are hooks that
    Keras runs the same way on TensorFlow and JAX. Only `averaged` is saved for
    prediction: the average of the network over the last epochs, which a callback
    keeps, since the batch norm of the last weights has seen only the last batches.

    Args:
        network: Maps float32 `(batch, height, width, 1)` in [0, 1] to probabilities
            `(batch, height, width, structures)`. It may compute in bfloat16.
        augment: Changes the pairs, in training only; says what masks become.
    """

    def __init__(self, network: keras.Model, augment: Augment) -> None:
        # float32, or mixed precision would round the pair before it is warped
        super().__init__(dtype="float32")
        self.network = network
        self.averaged = keras.models.clone_model(network)
        self.averaged.trainable = False
        self.augment = augment
        self.planes = augment.planes
        self._loss_of = partial_loss if self.planes.partial else segmentation_loss
        self._logits = keras.Model(network.input, network.get_layer(LOGITS).output)
        self.dice = keras.metrics.Mean(name="soft_dice")

    def build(self, input_shape: dict[str, tuple[int, ...]]) -> None:
        """Have nothing to build: the network came built, no other part has weights."""
        self.augment.build(input_shape)
        self.built = True

    def call(self, pair: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the logits and the planes that they are to match."""
        image = ops.cast(pair["image"], "float32") / 255.0
        if training:
            drawn = self.augment({"image": image, "mask": pair["mask"]})
        else:
            drawn = {"image": image, "planes": self.planes.split(pair["mask"])}
        logits = self._logits(drawn["image"], training=training)
        return {"logits": logits, "planes": drawn["planes"]}

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
        both = self._loss_of(y_pred["planes"], y_pred["logits"])
        self.dice.update_state(both[1])
        return ops.mean(both[0])

    def losses_of(self, masks: Any, logits: Any) -> Any:
        """Return the loss of each image by its mask, uint8 `(batch, side, side, 1)`."""
        return self._loss_of(self.planes.split(masks), logits)[0]

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, float]:
        """Return what the callbacks see: the loss and the soft Dice."""
        del x, y, y_pred, sample_weight
        metrics: dict[str, float] = self.get_metrics_result()
        return metrics
