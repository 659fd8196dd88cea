"""Whole epochs on the device give what single steps give; needs JAX."""

import importlib.util
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lungcli.nn import resident as module
from lungcli.nn.batches import Batches
from lungcli.nn.resident import ResidentBatches, fits_on_device

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)

# In a process of its own, since Keras has one backend in each. Beside the logs it tells
# how far the weights moved, and how far apart the two trainings ended.
COMPARE = """
import json, sys
from pathlib import Path
import numpy as np
from lungcli.model.config import TrainConfig
from lungcli.nn import trainer as module
from lungcli.nn.trainer import Pairs, Trainer
from lungcli.workflows.training.events import TrainEvents
job = json.loads(sys.argv[1])
masks = np.zeros((6, 32, 32, 1), np.uint8)
masks[:, 8:24, 4:12] = 1
masks[:, 8:24, 20:28] = 2
masks = masks.repeat(job["size"] // 32, axis=1).repeat(job["size"] // 32, axis=2)
noise = np.random.default_rng(0).integers(0, 20, masks.shape, dtype=np.uint8)
pairs = Pairs((masks > 0).astype(np.uint8) * 200 + noise, masks)
config = TrainConfig.from_dict({**job, "epochs": 3, "batch_size": 2}, where="test")
def score(batches):
    return {"val_dice": float(np.concatenate([*batches]).mean())}
def weights(trainer):
    trained = trainer.network.trainable_weights
    return np.concatenate([np.asarray(weight).ravel() for weight in trained])

seen = {}
for resident in (False, True):
    module.fits_on_device = lambda batches: resident
    epochs, steps = [], []
    trainer = Trainer(config, pairs, pairs, Path(sys.argv[2]))
    before = weights(trainer)
    trainer.fit(
        score,
        TrainEvents(
            on_step=lambda epoch, step, logs: steps.append(step),
            on_epoch=lambda epoch, logs: epochs.append(dict(logs)),
        ),
    )
    after = weights(trainer)
    seen[str(resident)] = {"epochs": epochs, "last_step": steps[-1]}
    if resident:
        seen["apart"] = float(np.linalg.norm(after - single))
    else:
        seen["moved"] = float(np.linalg.norm(after - before))
    single = after
print(json.dumps(seen))
"""


@pytest.fixture
def batches():
    images = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1).repeat(4, axis=1)
    return Batches(images, images, batch_size=2, shuffle=True, seed=3)


def test_an_epoch_is_one_item_in_the_order_of_the_batches(batches):
    batches.epoch = 5
    resident = ResidentBatches(batches)
    assert len(resident) == 1
    assert resident.images_per_item == 6
    (epoch,) = resident[0]
    for index, chosen in enumerate(epoch["chosen"]):
        streamed = batches[index][0]["image"]
        np.testing.assert_array_equal(np.asarray(epoch["images"])[chosen], streamed)


@pytest.mark.parametrize(
    ("backend", "cpu", "memory", "fits"),
    [
        pytest.param("jax", False, 4 * 56 + 1, True, id="under-a-quarter"),
        pytest.param("jax", False, 4 * 56, False, id="a-quarter"),
        pytest.param("jax", True, 2**30, False, id="processor"),
        pytest.param("tensorflow", False, 2**30, False, id="tensorflow"),
    ],
)
def test_what_fits_on_the_device(monkeypatch, batches, backend, cpu, memory, fits):
    assert batches.images.nbytes + batches.masks.nbytes == 56
    monkeypatch.setattr(module.keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(module, "on_cpu", lambda: cpu)
    monkeypatch.setattr(module, "_device_memory", lambda: memory)
    assert fits_on_device(batches) == fits


@pytest.mark.parametrize(
    ("stats", "memory"),
    [
        pytest.param({"bytes_limit": 99}, 99, id="told"),
        pytest.param({}, 4 * 2**30, id="no-limit"),
        pytest.param(None, 4 * 2**30, id="silent"),
    ],
)
def test_memory_of_the_device(monkeypatch, stats, memory):
    device = SimpleNamespace(memory_stats=lambda: stats)
    jax = SimpleNamespace(devices=lambda: [device])
    monkeypatch.setitem(sys.modules, "jax", jax)
    assert module._device_memory() == memory


def train_both_ways(folder, *, flags="", **job):
    """Train by single steps, then by whole epochs; return what COMPARE tells."""
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, json.dumps(job), str(folder)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_COMPILATION_CACHE_DIR": "",
            # a GPU would compute float32 in fewer bits
            "JAX_DEFAULT_MATMUL_PRECISION": "highest",
            "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check_same(seen, tolerance):
    """Compare each epoch's logs, and the weights at the end."""
    single, whole = seen["False"]["epochs"], seen["True"]["epochs"]
    assert len(single) == len(whole) == 3
    for one, other in zip(single, whole, strict=True):
        assert other == pytest.approx(one, rel=tolerance)
    assert single[0]["loss"] != pytest.approx(single[2]["loss"], rel=1e-3)
    assert seen["True"]["last_step"] == seen["False"]["last_step"] == 3
    assert seen["apart"] < 10 * tolerance * seen["moved"]


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "tolerance"),
    [
        pytest.param("float32", 1e-4),
        pytest.param("bfloat16", 2e-2, marks=pytest.mark.long),
    ],
)
def test_whole_epochs_train_like_single_steps(tmp_path, precision, tolerance):
    fast = "--xla_backend_optimization_level=0"  # compiles in half
    job = {"size": 32, "filters": 4, "depth": 1, "precision": precision}
    check_same(train_both_ways(tmp_path, flags=fast, **job), tolerance)


@needs_jax
@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float32", 1e-3), ("bfloat16", 4e-2)]
)
def test_so_they_do_on_a_gpu(tmp_path, precision, tolerance):
    # a low rate: rounding, which Adam magnifies, is to stay small
    rate = {"learning_rate": 2e-4}
    job = {"size": 128, "filters": 16, "precision": precision, **rate}
    seen = train_both_ways(tmp_path, **job)
    losses = [
        [logs["loss"] for logs in seen[how]["epochs"]] for how in ("False", "True")
    ]
    # `pytest -rA` shows it
    sys.stdout.write(
        f"{precision}: moved {seen['moved']:.4g}, apart {seen['apart']:.4g}; losses by "
        f"single steps {losses[0]}, by whole epochs {losses[1]}\n"
    )
    check_same(seen, tolerance)
