"""What Keras computes on, on this machine and on pretended ones."""

import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest

from lungcli.nn import hardware, precision
from lungcli.nn.hardware import computing_unit, find_hardware, unseen_gpu


@pytest.mark.parametrize(
    ("devices", "fast", "formats"),
    [
        pytest.param(["cpu:0"], ["gpu"], ("float32",), id="old-cpu"),
        pytest.param(["cpu:0"], ["cpu"], ("float32", "bfloat16"), id="new-cpu"),
        pytest.param(["gpu:0"], ["cpu"], ("float32",), id="old-gpu"),
        pytest.param(["gpu:0"], ["gpu"], ("float32", "bfloat16"), id="new-gpu"),
    ],
)
def test_formats_follow_the_precision(monkeypatch, devices, fast, formats):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    monkeypatch.setattr(precision, "_cpu_computes_bfloat16", lambda: "cpu" in fast)
    monkeypatch.setattr(precision, "_gpus_compute_bfloat16", lambda: "gpu" in fast)
    found = find_hardware()
    assert found.devices == tuple(devices)
    assert (found.formats, found.auto) == (formats, formats[-1])
    assert found.backend == keras.backend.backend()


@pytest.mark.parametrize(
    ("gpus", "cores", "text"),
    [
        pytest.param((), 1, "1 core (bfloat16)", id="core"),
        pytest.param((), 2, "2 cores (bfloat16)", id="cores"),
        pytest.param(("Model X", "Model X"), 16, "Model X (bfloat16)", id="gpu"),
    ],
)
def test_computing_unit(monkeypatch, gpus, cores, text):
    monkeypatch.setattr(hardware, "accelerators", lambda: gpus)
    assert computing_unit("mixed_bfloat16", cores=cores) == text


def test_computing_unit_in_float32():
    assert computing_unit("float32", cores=3).endswith("(float32)")


def test_names_come_from_tensorflow(monkeypatch):
    config = pytest.importorskip("tensorflow").config
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: [kind, "odd"])
    details = {"GPU": {"device_name": "Model X"}, "odd": {}}
    monkeypatch.setattr(config.experimental, "get_device_details", details.get)
    assert hardware.accelerators() == ("Model X", "GPU")


def test_names_come_from_jax(monkeypatch):
    class Device:
        def __init__(self, platform, device_kind):
            self.platform, self.device_kind = platform, device_kind

    class Jax:
        @staticmethod
        def devices():
            return [Device("cpu", "cpu"), Device("gpu", "Model X")]

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(hardware.importlib, "import_module", {"jax": Jax}.get)
    assert hardware.accelerators() == ("Model X",)


@pytest.fixture
def backend(monkeypatch):
    """Return a function that pretends a backend which sees no GPU, or one."""

    def pretend(name, *, gpus=(), platforms=None, cuda=True):
        modules = {
            "jax": SimpleNamespace(
                __version__="0.7.1",
                config=SimpleNamespace(jax_platforms=platforms),
                devices=lambda: [
                    SimpleNamespace(platform="cpu", device_kind="cpu"),
                    *(SimpleNamespace(platform="gpu", device_kind=g) for g in gpus),
                ],
            ),
            "tensorflow": SimpleNamespace(
                __version__="2.21.3",
                test=SimpleNamespace(is_built_with_cuda=lambda: cuda),
                config=SimpleNamespace(
                    list_physical_devices=lambda kind: gpus,
                    experimental=SimpleNamespace(get_device_details=lambda gpu: {}),
                ),
            ),
        }
        monkeypatch.setattr(keras.backend, "backend", lambda: name)
        monkeypatch.setattr(hardware.importlib, "import_module", modules.get)

    return pretend


@pytest.mark.parametrize(
    ("name", "cuda", "library", "install"),
    [
        pytest.param(
            *("tensorflow", True, "TensorFlow"),
            "pip install 'tensorflow[and-cuda]==2.21.3'. ",
            id="tensorflow",
        ),
        pytest.param(
            *("tensorflow", False, "TensorFlow"),
            "pip install 'jax[cuda12]', and set KERAS_BACKEND=jax. ",
            id="tensorflow-for-arm",
        ),
        pytest.param(
            "jax", True, "JAX", "pip install 'jax[cuda12]==0.7.1'. ", id="jax"
        ),
    ],
)
def test_a_gpu_that_is_not_seen(driver, backend, name, cuda, library, install):
    driver("NVIDIA L4")
    backend(name, cuda=cuda)
    note = unseen_gpu()
    assert note.startswith(
        f"{library} does not see the GPU of this machine (NVIDIA L4)"
    )
    assert f"Run: {install}" in note


@pytest.mark.parametrize("name", ["tensorflow", "jax"])
@pytest.mark.parametrize(
    ("models", "gpus", "visible"),
    [
        pytest.param(["NVIDIA L4"], ("GPU:0",), None, id="seen"),
        pytest.param([], (), None, id="none"),
        pytest.param(["NVIDIA L4"], (), "-1", id="hidden-from-cuda"),
    ],
)
def test_nothing_is_wrong(driver, backend, monkeypatch, name, models, gpus, visible):
    driver(*models)
    backend(name, gpus=gpus)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert unseen_gpu() is None


def test_jax_was_told_to_leave_it_alone(driver, backend):
    driver("NVIDIA L4")
    backend("jax", platforms="cpu")
    assert unseen_gpu() is None


# what `jax.devices()` does first, on a machine with a GPU
IDLE_GPU = """
import lungcli.nn
from jax._src import hardware_utils
hardware_utils.has_visible_nvidia_gpu = lambda: True
import jax
print(jax.devices()[0].platform)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
def test_jax_does_not_say_it_too():
    changed = {"KERAS_BACKEND": "jax", "JAX_COMPILATION_CACHE_DIR": ""}
    done = subprocess.run(
        [sys.executable, "-c", IDLE_GPU],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **changed},
    )
    assert (done.stdout, done.stderr) == ("cpu\n", "")
