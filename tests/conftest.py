"""Fixtures that several folders of tests share."""

import os
import platform
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image

from lungcli.model.config import TrainConfig
from lungcli.phantom import write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

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
    parser.addoption(
        "--any-device",
        action="store_true",
        help="run the tests marked gpu on the processor, too, to try them out",
    )


def pytest_runtest_setup(item):
    """Leave the tests marked `gpu` out where Keras sees none."""
    if item.get_closest_marker("gpu") and not item.config.getoption("--any-device"):
        from lungcli.nn.precision import list_devices

        devices = list_devices()
        if not any(name.startswith("gpu") for name in devices):
            pytest.skip(f"Keras sees no GPU, only {', '.join(devices)}")


@pytest.fixture(scope="session")
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
    from lungcli.workflows.training.train import train

    folder = tmp_path_factory.mktemp("training")
    config = TrainConfig(
        size=64, filters=8, depth=2, epochs=25, batch_size=4, learning_rate=0.01
    )
    train([prepared], config, run=folder / "runs" / "fixture", runs=folder / "runs")
    return folder / "runs" / "fixture"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Return a function that pretends the files of NVIDIA's driver, and no others.

    It takes the model of each GPU; None is one that a container keeps secret.
    """
    root = tmp_path / "root"
    monkeypatch.setattr("lungcli.system.nvidia_gpus._ROOT", root)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (root / "dev").mkdir(parents=True)

    def install(*models):
        for name in ("nvidiactl", "nvidia-uvm", "null"):
            (root / "dev" / name).touch()
        for minor, model in enumerate(models):
            (root / "dev" / f"nvidia{minor}").touch()
            if model:
                folder = root / "proc/driver/nvidia/gpus" / f"0000:{minor + 7:02}:00.0"
                folder.mkdir(parents=True)
                (folder / "information").write_text(
                    f"Model: \t\t {model}\nIRQ:   \t\t 16\nVideo BIOS: \t \n"
                    f"Bus Location: \t {folder.name}\nDevice Minor: \t {minor}\n"
                )
        return root

    return install


@pytest.fixture
def unexported(monkeypatch):
    """Let trainings end without `model.onnx`: it takes seconds, and is not at stake."""
    monkeypatch.setattr(
        "lungcli.workflows.training.fitting.export_onnx", lambda folder: None
    )
