"""The main job on phantoms, as `make demo` runs it, and in small."""

import json
import subprocess
import sys
from functools import partial

import pytest
from PIL import Image
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.config import TrainConfig

COMMAND = ["demo", "--out", "demo", "--json"]


def check_segmented(folder, stdout, stderr, *, dice):
    document = json.loads(stdout)
    assert document["best_dice"] >= dice
    assert document["summary"]["dice"]["mean"] >= dice
    assert document["summary"]["right"]["dice"]["min"] >= 0.8
    assert document["summary"]["left"]["dice"]["min"] >= 0.8
    paths = [folder / path for path in document["paths"]]
    assert all(path.is_file() for path in paths)
    (film,) = (path for path in paths if path.name == "output.gif")
    with Image.open(film) as frames:
        assert frames.n_frames == document["summary"]["cases"]
    assert "> lungcli train" in stderr


@pytest.mark.slow
def test_demo_in_small(tmp_path, monkeypatch):
    from lungcli.workflows import demo as workflow

    monkeypatch.chdir(tmp_path)
    config = TrainConfig(size=128, epochs=8, batch_size=2, learning_rate=4e-3)
    small = partial(workflow.demo, config=config, num_phantoms=24)
    monkeypatch.setattr(workflow, "demo", small)
    done = CliRunner().invoke(app, COMMAND)
    assert done.exit_code == 0, done.output
    check_segmented(tmp_path, done.stdout, done.stderr, dice=0.85)


@pytest.mark.long
def test_demo_segments_the_phantoms(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lungcli", *COMMAND],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_segmented(tmp_path, done.stdout, done.stderr, dice=0.95)
