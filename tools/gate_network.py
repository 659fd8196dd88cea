"""The gate's network: how it is built, trained, asked and exported."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from gate_drawings import Draw
from gate_material import Chest
from gate_variation import Pose, draw_pose, vary
from keras import layers, ops

from lungcli.arrays import Gray
from lungcli.checks.gate import SIDE, eight_views, join_views, standardize

FILTERS: Final = (16, 32, 48, 64)
SHARE_OF_OTHERS: Final = 0.7  # pictures that are no chest, for each chest
BATCH_SIZE: Final = 64
LEARNING_RATE: Final = 2e-3
MIRROR_WEIGHT: Final = 1.0
_CHEST: Final = 6  # column of the answers; before it 4 turns, inverted, mirrored


@dataclass(frozen=True, slots=True)
class Pool:
    """Pictures and what should be answered.

    Attributes:
        images: Standardized, shape `(n, SIDE, SIDE, 1)`.
        answers: Shape `(n, 7)`, as the logits; all 0 for what is no chest.
    """

    images: np.ndarray
    answers: np.ndarray


def build() -> keras.Model:
    """Return the untrained network: `(batch, 64, 64, 1)` to `(batch, 7)` logits."""
    image = keras.Input((SIDE, SIDE, 1), name="image")
    x: Any = image
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.ReLU()(x)
    x = layers.Conv2D(24, 1, activation="relu")(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.Dense(48, activation="relu")(x)
    return keras.Model(image, layers.Dense(_CHEST + 1)(layers.Dropout(0.1)(x)))


def loss(truth: Any, logits: Any) -> Any:
    """Return the cross entropies of the four questions, summed, per picture.

    Only of a chest is asked how it lies.
    """
    chest = truth[:, _CHEST]
    turns = -ops.sum(truth[:, :4] * ops.log_softmax(logits[:, :4], axis=-1), axis=-1)
    rest = ops.softplus(logits[:, 4:]) - truth[:, 4:] * logits[:, 4:]
    pose = turns + rest[:, 0] + MIRROR_WEIGHT * rest[:, 1]
    return chest * pose + rest[:, 2]


def train(pool: Pool, passes: int, seed: int) -> keras.Model:
    """Train a network on a pool of pictures.

    Args:
        pool: From `draw_pool`.
        passes: How often it sees each picture.
        seed: Of the initial weights and the order.
    """
    keras.utils.set_random_seed(seed)
    network = build()
    batches = math.ceil(len(pool.images) / BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, passes * batches)
    network.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), loss=loss)
    network.fit(
        pool.images, pool.answers, batch_size=BATCH_SIZE, epochs=passes, verbose=2
    )
    return network


def draw_pool(
    chests: Sequence[Chest],
    kinds: Mapping[str, Draw],
    versions: int,
    rng: np.random.Generator,
) -> Pool:
    """Draw every chest in several random poses, and other pictures to go with them."""
    draws = list(kinds.values())
    pictures, answers = [], []
    for _ in range(versions):
        for chest in chests:
            pose = draw_pose(rng)
            pictures.append(vary(chest.thumbnail, pose, rng))
            answers.append(_answer(pose))
        for _ in range(round(SHARE_OF_OTHERS * len(chests))):
            picture = draws[rng.integers(len(draws))](rng)
            pictures.append(vary(picture, draw_pose(rng), rng))
            answers.append(np.zeros(_CHEST + 1, np.float32))
    images = np.stack([standardize(picture) for picture in pictures])[..., None]
    return Pool(images, np.stack(answers))


def join(pools: Sequence[Pool]) -> Pool:
    """Return all pictures of several pools."""
    return Pool(
        np.concatenate([pool.images for pool in pools]),
        np.concatenate([pool.answers for pool in pools]),
    )


def ask(network: keras.Model, pictures: Sequence[Gray]) -> np.ndarray:
    """Return the joined logits of pictures of the gate's size, shape `(n, 7)`."""
    views = np.concatenate([eight_views(standardize(each)) for each in pictures])
    logits = network.predict(views, batch_size=256, verbose=0)
    return np.stack(
        [join_views(of_one) for of_one in logits.reshape(-1, 8, _CHEST + 1)]
    )


def export(network: keras.Model, path: Path) -> None:
    """Write the network as ONNX."""
    network(np.zeros((1, SIDE, SIDE, 1), np.float32))  # the exporter wants it called
    with warnings.catch_warnings(action="ignore"):  # of tf2onnx, about NumPy
        network.export(path, format="onnx", verbose=False)


def _answer(pose: Pose) -> np.ndarray:
    answer = np.zeros(_CHEST + 1, np.float32)
    answer[-pose.turned % 4] = 1.0  # the turns that set it upright
    answer[4:] = pose.inverted, pose.mirrored, True
    return answer
