"""The main job on phantoms, as `make demo` runs it, and in small."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.measure import perimeter
from typer.testing import CliRunner

from lungcli.arrays import LEFT, RIGHT
from lungcli.cli.app import app
from lungcli.data.geometry import resize_square
from lungcli.data.prepared import open_prepared
from lungcli.masks.labels import threshold_labels
from lungcli.model.config import TrainConfig
from lungcli.workflows.shared.inference import load_model

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


def roughness(mask):
    """Return the perimeter of a mask over that of the same mask, smoothed."""
    padded = np.pad(mask, 8).astype(np.float32)
    return perimeter(padded > 0) / perimeter(gaussian_filter(padded, 3) > 0.5)


def roughness_of_outlines(demo):
    """Return it for the masks of the demo's test cases, on the network's own grid."""
    (run,) = (demo / "runs").glob("demo-*")
    lungs, dataset = load_model(run), open_prepared(demo / "prepared")
    values = []
    for case in dataset.select("test"):
        square = resize_square(dataset.read_image(case), lungs.size)
        cleaned = lungs.clean(lungs.infer(square))
        labels = threshold_labels(cleaned, threshold=lungs.threshold)
        values += [roughness(labels == side) for side in (RIGHT, LEFT)]
    return float(np.mean(values))


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
    # 1.02; painted in cells of 4×4 pixels it was 1.22
    assert roughness_of_outlines(tmp_path / "demo") < 1.06


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
    assert roughness_of_outlines(tmp_path / "demo") < 1.06
