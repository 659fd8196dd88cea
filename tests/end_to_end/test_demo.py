"""The main job on phantoms, as `make demo` runs it."""

import json
import subprocess
import sys

import pytest
from PIL import Image


@pytest.mark.slow
def test_demo_segments_the_phantoms(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lungcli", "demo", "--out", "demo", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["best_dice"] >= 0.95
    assert document["summary"]["dice"]["mean"] >= 0.95
    assert document["summary"]["right"]["dice"]["min"] >= 0.8
    assert document["summary"]["left"]["dice"]["min"] >= 0.8
    paths = [tmp_path / path for path in document["paths"]]
    assert all(path.is_file() for path in paths)
    (film,) = (path for path in paths if path.name == "output.gif")
    with Image.open(film) as frames:
        assert frames.n_frames == document["summary"]["cases"]
    assert "> lungcli train" in done.stderr
