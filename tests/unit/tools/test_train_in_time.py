"""The script that trains for as many epochs as fit into a time."""

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "train_in_time.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train_in_time", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["train_in_time"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["train_in_time"]


@pytest.mark.parametrize(
    ("seconds", "suffices", "fewer"),
    [
        # 30 s to the end of the first epoch, 2.1 s each after it, 15 s for the end
        pytest.param(36 + 15 + 96 * 2.1 + 1, True, None, id="enough"),
        pytest.param(36 + 15 + 96 * 2.1 - 1, False, 4 + 81, id="a-second-short"),
        pytest.param(36 + 15 + 30 + 21.5, False, 4 + 10, id="ten-more"),
        pytest.param(60, False, 5, id="one-more-at-least"),
    ],
)
def test_epochs_that_fit_by_hand(script, seconds, suffices, fewer):
    watch = script.Watch(began=0.0, ends=seconds, epochs=100)
    watch.instants = [30.0, 32.0, 34.0, 36.0]
    assert watch.suffices(4) == suffices
    assert suffices or watch.affordable(4) == fewer


def rows(run):
    with (run / "history.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def train(prepared, tmp_path):
    """Run the script on the phantoms; return its output and the rows of the history."""
    (tmp_path / "recipe.toml").write_text(
        "size = 64\nfilters = 4\ndepth = 2\nbatch-size = 4\nepochs = 500\n"
    )

    def run(*options):
        command = [sys.executable, SCRIPT, tmp_path / "recipe.toml"]
        command += ["--data", prepared, "--run", tmp_path / "run", *options]
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done, rows(tmp_path / "run")

    return run


@pytest.mark.slow
def test_a_training_that_would_take_too_long_comes_down_in_time(train, tmp_path):
    done, history = train("--seconds", "25")
    assert "500 epochs take too long:" in done.stderr
    assert 5 <= len(history) < 500
    rates = [float(row["learning_rate"]) for row in history]
    assert rates[-1] < max(rates) / 10
    assert (tmp_path / "run" / "best.weights.h5").is_file()
    assert f"of {len(history)};" in done.stdout


@pytest.mark.slow
def test_one_that_fits_has_all_its_epochs(train):
    done, history = train("--seconds", "600", "--epochs", "5")
    assert "too long" not in done.stderr
    assert len(history) == 5
