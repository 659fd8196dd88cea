"""One process of a training on several devices; `test_distribution` starts it.

It prints, as JSON, the loss of each step, the epochs and the averaged weights.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from keras import ops

from lungcli.model.config import TrainConfig
from lungcli.nn.distribution import join_processes
from lungcli.nn.trainer import Pairs, Trainer
from lungcli.workflows.training.events import TrainEvents


def pairs():
    """Return lungs, brighter from case to case: the parts of a batch differ."""
    masks = np.zeros((12, 32, 32, 1), np.uint8)
    masks[:, 8:24, 4:12] = 1
    masks[:, 8:24, 20:28] = 2
    noise = np.random.default_rng(0).integers(0, 20, masks.shape, dtype=np.uint8)
    light = np.linspace(60, 230, 12).astype(np.uint8)[:, None, None, None]
    return Pairs((masks > 0) * light + noise, masks)


CONFIG = TrainConfig(
    size=32,
    filters=4,
    depth=1,
    arch="unet",
    epochs=2,
    batch_size=4,
    strength=0.0,
    learning_rate=0.01,
    precision="float32",
)


def flat(weights):
    """Return all numbers of some weights."""
    return np.concatenate([np.ravel(ops.convert_to_numpy(w)) for w in weights]).tolist()


def train(folder, *, devices):
    """Train on the first devices; return what was seen."""
    trainer = Trainer(replace(CONFIG, devices=devices), pairs(), pairs(), folder)
    sums, epochs = [], []
    trainer.fit(
        lambda batches: {"val_dice": float(np.concatenate([*batches]).mean())},
        TrainEvents(
            on_step=lambda epoch, step, logs: sums.append(step * logs["loss"]),
            on_epoch=lambda epoch, logs: epochs.append(dict(logs)),
        ),
    )
    steps = len(trainer.batches)
    losses = np.diff(np.reshape(sums, (-1, steps)), prepend=0.0, axis=1)
    return {
        "losses": losses.ravel().tolist(),
        "epochs": epochs,
        "norms": flat(w for w in trainer.network.weights if "moving" in w.path),
        "weights": flat(trainer.segmenter.averaged.weights),
    }


if __name__ == "__main__":
    folder, devices = sys.argv[1:]
    process = join_processes()
    seen = [
        train(Path(folder) / f"{process.index}-{number}", devices=number)
        for number in map(int, devices.split(","))
    ]
    sys.stdout.write(json.dumps(seen) + "\n")
