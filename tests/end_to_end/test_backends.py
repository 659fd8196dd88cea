"""TensorFlow and JAX train, evaluate and predict the same, within tolerances.

They are in docs/commands/train.md. In processes of their own: Keras has one backend in
each. The initial weights come from one training, since the two draw other random
weights from one seed; and without augmentation, which they draw differently, too.
"""

import csv
import importlib.util
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None
        or importlib.util.find_spec("tensorflow") is None,
        reason="JAX or TensorFlow is not installed",
    ),
]

BACKENDS = ("tensorflow", "jax")
LOSS = 1e-4  # relative; of the training and validation loss of each epoch
DICE = 1e-3
PIXELS = 1e-3  # share of those that may fall on the other side of the threshold


# One process does all three, as Keras takes seconds to start. ONNX is not at stake.
PROGRAM = """
import sys
from pathlib import Path
import lungcli
from lungcli.workflows.training import fine_tuning
from lungcli.workflows.training import fitting as training
training.export_onnx = lambda folder: None
data, model, out = map(Path, sys.argv[1:])
few = {"epochs": 3, "strength": 0, "batch_size": 4, "precision": "float32"}
config = fine_tuning.settings_from(model, few, where="test")
lungcli.train([data], config, init=model, run=out / "run", runs=out)
lungcli.evaluate([data], model, out=out / "ev")
settings = lungcli.PredictSettings(engine="keras")
lungcli.predict([data / "images"], model, settings=settings, out=out / "masks")
"""


@pytest.fixture(scope="module")
def results(prepared, run, tmp_path_factory):
    """What each backend left, by its name."""
    root = tmp_path_factory.mktemp("backends")
    model = root / "model"
    shutil.copytree(run, model, ignore=shutil.ignore_patterns("model.onnx", "state"))
    for backend in BACKENDS:
        environment = {**os.environ, "KERAS_BACKEND": backend}
        environment["JAX_COMPILATION_CACHE_DIR"] = ""
        environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # starts soon
        arguments = [prepared, model, root / backend]
        subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            env=environment,
            check=True,
        )
    return {backend: root / backend for backend in BACKENDS}


def table(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_same_training(results):
    one, other = (table(results[name] / "run" / "history.csv") for name in BACKENDS)
    assert len(one) == len(other) == 3
    for first, second in zip(one, other, strict=True):
        for name in ("loss", "val_loss", "soft_dice", "learning_rate"):
            assert float(second[name]) == pytest.approx(float(first[name]), rel=LOSS)
        assert float(second["val_dice"]) == pytest.approx(
            float(first["val_dice"]), abs=DICE
        )
    assert one[0]["loss"] != one[-1]["loss"]


def test_same_scores(results):
    one, other = (table(results[name] / "ev" / "cases.csv") for name in BACKENDS)
    assert one
    for first, second in zip(one, other, strict=True):
        assert first["case_id"] == second["case_id"]
        assert float(second["dice"]) == pytest.approx(float(first["dice"]), abs=DICE)


def test_same_masks(results):
    names = sorted(path.name for path in (results["jax"] / "masks").glob("*.png"))
    assert len(names) == 12
    for name in names:
        one, other = (
            np.asarray(Image.open(results[backend] / "masks" / name))
            for backend in BACKENDS
        )
        assert np.mean(one != other) <= PIXELS
