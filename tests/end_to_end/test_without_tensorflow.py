"""On JAX lungcli trains, evaluates and predicts where TensorFlow is not installed."""

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed"
    ),
]

# what cannot be imported is, to everyone who asks, not there
PROGRAM = """
import sys
sys.modules["tensorflow"] = None
from lungcli.cli.start import main
main()
"""


@pytest.fixture
def lungcli(tmp_path):
    """Run a command as if there were no TensorFlow; return what it prints."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_COMPILATION_CACHE_DIR": "",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # starts soon
    }

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_train_evaluate_predict(lungcli, prepared, phantoms, tmp_path):
    network = ("--size", 64, "--filters", 4, "--depth", 2, "--batch-size", 4)
    trained = lungcli(
        "train", "--data", prepared, "--epochs", 1, "--run", "run", *network
    )
    notes = [line for line in trained.stderr.splitlines() if line.startswith("note: ")]
    (exported,) = (note for note in notes if "export" in note)
    assert "goes through TensorFlow, which is not installed" in exported
    assert "'lungcli predict' will load Keras instead" in exported
    assert (tmp_path / "run" / "best.weights.h5").is_file()
    scored = lungcli("evaluate", "--data", prepared, "--model", "run")
    assert "Dice" in scored.stdout
    lungcli("predict", phantoms / "CXR_png", "--model", "run", "--out", "masks")
    assert len([*(tmp_path / "masks").glob("*.png")]) == 12
