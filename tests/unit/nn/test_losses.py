"""The loss of partial labels, worked out by hand."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from lungcli.anatomy import IGNORE, any_of
from lungcli.nn.losses import partial_loss, segmentation_loss
from lungcli.nn.planes import Planes

CLASSES = (0.1, 0.2, 0.3, 0.4)  # probabilities of background, right, left, heart
ALL = Planes(labels=(1, 2, 3), partial=True)


def loss_of(labels, classes=CLASSES):
    """Return cross-entropy and Dice of pixels with the same probabilities."""
    labels = np.array(labels, np.uint8)[None, None, :, None]
    logits = np.broadcast_to(np.log(classes), (1, 1, labels.shape[2], 4))
    both = partial_loss(ALL.split(labels), logits.astype("f4"))
    loss, dice = ops.convert_to_numpy(both)[:, 0]
    return loss - (1 - dice), dice


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param(1, 0.2, id="the right lung"),
        pytest.param(0, 0.1, id="background"),
        pytest.param(any_of(0, 3), 0.5, id="background or heart"),
        pytest.param(any_of(1, 3), 0.6, id="right lung or heart"),
        pytest.param(IGNORE, 1.0, id="anything"),
    ],
)
def test_entropy_of_one_pixel(label, expected):
    entropy, _ = loss_of([label])
    assert entropy == pytest.approx(-math.log(expected), abs=1e-5)


def test_dice_counts_only_what_is_known():
    """Of the heart: the first pixel is one, the second none, the third nobody knows."""
    _, dice = loss_of([3, 1, any_of(0, 3)])
    of_heart = (2 * 0.4 + 1) / (1 + 0.4 + 0.4 + 1)
    of_right = (2 * 0.2 + 1) / (1 + 3 * 0.2 + 1)
    of_left = 1 / (3 * 0.3 + 1)
    assert dice == pytest.approx((of_heart + of_right + of_left) / 3, abs=1e-5)


def test_where_all_is_known_it_is_the_usual_loss():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (2, 8, 8, 1)).astype(np.uint8)
    logits = rng.normal(size=(2, 8, 8, 4)).astype("f4")
    usual = segmentation_loss(Planes(labels=(1, 2, 3)).split(labels), logits)
    partial = partial_loss(ALL.split(labels), logits)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (usual, partial)), rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by tape")
def test_gradients_leave_free_what_is_open():
    import tensorflow as tf

    logits = tf.Variable(np.log([[[CLASSES, CLASSES, CLASSES]]]).astype("f4"))
    labels = np.array([IGNORE, any_of(0, 3), 1], np.uint8)[None, None, :, None]
    with tf.GradientTape() as tape:
        loss = partial_loss(ALL.split(labels), logits)[0]
    ignored, open_, known = tape.gradient(loss, logits).numpy()[0, 0]
    np.testing.assert_allclose(ignored, 0, atol=1e-6)
    background, right, left, heart = open_
    assert min(right, left) > 0  # less of these
    assert max(background, heart) < 0
    assert background / heart == pytest.approx(0.1 / 0.4, rel=1e-3)  # no side taken
    assert known[1] < 0 < known[0]
