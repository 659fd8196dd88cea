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

# In a process of its own, since Keras has one backend in each.
COMPARE = """
import json, sys
import numpy as np
from lungcli.config import TrainConfig
from lungcli.nn import trainer as module
from lungcli.nn.trainer import Hooks, Pairs, Trainer
masks = np.zeros((6, 32, 32, 1), np.uint8)
masks[:, 8:24, 4:12] = 1
masks[:, 8:24, 20:28] = 2
noise = np.random.default_rng(0).integers(0, 20, masks.shape, dtype=np.uint8)
pairs = Pairs((masks > 0).astype(np.uint8) * 200 + noise, masks)
config = TrainConfig(
    size=32, filters=4, depth=1, epochs=3, batch_size=2, precision=sys.argv[2]
)
def score(batches):
    return {"val_dice": float(np.concatenate([*batches]).mean())}

seen = {}
for resident in (False, True):
    module.fits_on_device = lambda batches: resident
    epochs, steps = [], []
    trainer = Trainer(config, pairs, pairs, __import__("pathlib").Path(sys.argv[1]))
    trainer.fit(
        Hooks(
            score=score,
            on_step=lambda step, logs: steps.append(step),
            on_epoch=lambda epoch, logs: epochs.append(dict(logs)),
        )
    )
    seen[str(resident)] = {"epochs": epochs, "last_step": steps[-1]}
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
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(tmp_path), precision],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_COMPILATION_CACHE_DIR": "",
            "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles in half
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    single, whole = seen["False"]["epochs"], seen["True"]["epochs"]
    assert len(single) == len(whole) == 3
    for one, other in zip(single, whole, strict=True):
        assert other == pytest.approx(one, rel=tolerance)
    assert single[0]["loss"] != pytest.approx(single[2]["loss"], rel=1e-3)
    assert seen["True"]["last_step"] == seen["False"]["last_step"] == 3
