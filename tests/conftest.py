"""Fixtures that several folders of tests share."""

import os
import platform
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image

from lungcli.config import TrainConfig
from lungcli.data.phantom import write_montgomery
from lungcli.workflows.prepare import PrepareSettings, prepare

# machines are noisy, and no test may depend on how long something takes
settings.register_profile("lungcli", deadline=None)
settings.load_profile("lungcli")

# A shell that starts the tests in the background has them ignore Ctrl-C, and every
# command that they start would do so, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# As lungcli.nn sets it: some tests import Keras first, and all should compute alike.
if platform.machine() in {"x86_64", "AMD64"}:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the pictures in tests/golden instead of comparing with them",
    )


@pytest.fixture
def real_data():
    """The folder with the real X-rays that tests marked `data` run on."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real X-rays in {folder}")
    return folder


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """Twelve small phantoms in the Montgomery layout, 130 rows by 160 columns.

    Not square, and neither the prepared size nor the network's: a slip in the geometry
    must show.
    """
    folder = tmp_path_factory.mktemp("source") / "phantoms"
    write_montgomery(folder, count=12, size=160, workers=1)
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            cropped = image.crop((0, 10, 160, 140))
        cropped.save(path)
    return folder


@pytest.fixture(scope="session")
def prepared(phantoms, tmp_path_factory):
    """The phantoms, prepared: 8 to train, 2 to validate, 2 to test."""
    out = tmp_path_factory.mktemp("data") / "prepared"
    how = PrepareSettings(out=out, size=96, workers=1, val=0.17, test=0.17)
    prepare([phantoms], settings=how)
    return out


@pytest.fixture(scope="session")
def run(prepared, tmp_path_factory):
    """A short run on the phantoms."""
    from lungcli.workflows.train import train

    folder = tmp_path_factory.mktemp("training")
    config = TrainConfig(
        size=64, filters=8, depth=2, epochs=25, batch_size=4, learning_rate=0.01
    )
    train([prepared], config, run=folder / "runs" / "fixture", runs=folder / "runs")
    return folder / "runs" / "fixture"


@pytest.fixture
def unexported(monkeypatch):
    """Let trainings end without `model.onnx`: it takes seconds, and is not at stake."""
    monkeypatch.setattr("lungcli.workflows.training.export_onnx", lambda folder: None)
