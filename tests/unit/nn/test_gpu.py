"""What only a GPU can show; `tools/gpu_run.sh` runs it where there is one.

Needs neither TensorFlow nor JAX in particular: whichever Keras runs on.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import keras
import numpy as np
import pytest

from lungcli.model.config import TrainConfig
from lungcli.model.find import MODELS
from lungcli.model.info import load_info
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.nn.hardware import accelerators
from lungcli.nn.model_file import load_network
from lungcli.nn.precision import _compute_capabilities, dtype_policy, on_cpu
from lungcli.nn.predictor import KerasPredictor
from lungcli.nn.resident import ResidentBatches
from lungcli.nn.trainer import Pairs, Trainer
from lungcli.phantom import draw_phantom
from lungcli.workflows.training.events import TrainEvents

pytestmark = [pytest.mark.gpu, pytest.mark.slow]

SIZE = 64
SMALL = {"size": SIZE, "filters": 8, "depth": 2, "batch_size": 2, "epochs": 4}
REPEATABLE = "--xla_gpu_deterministic_ops=true"

# twice in processes of their own, since what one has tuned it would use again
PROGRAM = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_gpu import SMALL, train
trainer, _ = train(Path(sys.argv[2]), deterministic=True)
digest = hashlib.sha256()
for weight in trainer.segmenter.get_weights():
    digest.update(weight.tobytes())
print(digest.hexdigest())
"""


def tell(text):
    """Say what was found; `pytest -rA` shows it."""
    sys.stdout.write(f"{text}\n")


def phantoms(count, size):
    drawn = [draw_phantom(seed, size) for seed in range(count)]
    return Pairs(
        np.stack([phantom.image for phantom in drawn])[..., None],
        np.stack([phantom.labels for phantom in drawn])[..., None],
    )


def score(batches):
    return {"val_dice": float(np.mean([batch.mean() for batch in batches]))}


def train(folder, **settings):
    """Train a small network on phantoms; return the trainer, and each epoch's logs."""
    pairs = phantoms(8, SIZE)
    config = TrainConfig.from_dict({**SMALL, **settings}, where="test")
    trainer = Trainer(config, pairs, pairs, folder)
    epochs = []
    trainer.fit(
        score, TrainEvents(on_epoch=lambda epoch, logs: epochs.append(dict(logs)))
    )
    return trainer, epochs


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training as it is by default, its logs, and how long it took in all."""
    began = perf_counter()
    trainer, epochs = train(tmp_path_factory.mktemp("trained"))
    return trainer, epochs, perf_counter() - began


@pytest.mark.parametrize(
    ("precision", "most_apart", "most_moved"),
    [("float32", 1e-3, 1e-3), ("bfloat16", 1e-2, 5e-3)],
)
def test_the_network_labels_as_on_a_processor(precision, most_apart, most_moved):
    folder = MODELS / "tiny"
    size = json.loads((folder / "model.json").read_text())["network"]["size"]
    images = phantoms(8, size).images
    info = load_info(folder)
    network = load_network(folder, info, dtype=dtype_policy(precision))
    found = KerasPredictor(network, info).probabilities(images)
    expected = OnnxPredictor.load(folder).probabilities(images)
    apart = np.abs(found - expected)
    moved = np.mean((found >= 0.5) != (expected >= 0.5))
    tell(
        f"{precision}: mean {apart.mean():.3g}, highest {apart.max():.3g}, "
        f"{moved:.3g} of the pixels on the other side"
    )
    assert found.dtype == np.float32
    assert apart.mean() < most_apart
    assert moved < most_moved


def test_auto_is_bfloat16_from_ampere_on():
    if on_cpu():
        pytest.skip("a processor has no compute capability")
    capabilities = _compute_capabilities()
    tell(f"{accelerators()} {capabilities}")
    assert len(capabilities) == len(accelerators()) >= 1
    ampere = all(capability >= (8, 0) for capability in capabilities)
    assert dtype_policy("auto") == ("mixed_bfloat16" if ampere else "float32")


def test_bfloat16_learns_and_keeps_its_weights_in_float32(tmp_path):
    trainer, epochs = train(tmp_path, precision="bfloat16")
    assert trainer.policy == "mixed_bfloat16"
    assert np.isfinite([logs["val_loss"] for logs in epochs]).all()
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert {weight.dtype for weight in trainer.network.weights} == {"float32"}


def test_the_data_lie_on_the_device(trained):
    trainer, _, _ = trained
    resident = keras.backend.backend() == "jax" and not on_cpu()
    assert isinstance(trainer.source, ResidentBatches) == resident
    if resident:
        images = trainer.source[0][0]["images"]
        assert {device.platform for device in images.devices()} == {"gpu"}


def test_the_meter_agrees_with_the_clock(trained):
    trainer, epochs, elapsed = trained
    speed = trainer.meter.throughput
    tell(str(speed))
    images = len(trainer.batches) * trainer.config.batch_size
    assert 0 <= speed.input_share <= 1
    # steps are a part of their epoch, and epochs of the whole
    assert images / speed.images_per_second <= speed.seconds_per_epoch * 1.01
    assert (len(epochs) - 1) * speed.seconds_per_epoch <= elapsed


def test_deterministic_is_the_same_to_the_bit(tmp_path):
    folder = str(Path(__file__).parent)
    flags = f"{os.environ.get('XLA_FLAGS', '')} {REPEATABLE}"
    environment = {
        **os.environ,
        "XLA_FLAGS": flags,
        "JAX_COMPILATION_CACHE_DIR": "",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    command = [sys.executable, "-c", PROGRAM, folder]
    running = [
        subprocess.Popen(
            [*command, str(tmp_path / name)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    one, other = (process.communicate()[0].strip() for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert one == other != ""
