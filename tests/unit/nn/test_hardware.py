"""What Keras computes on, on this machine and on pretended ones."""

import keras
import pytest

from lungcli.nn import hardware, precision
from lungcli.nn.hardware import computing_unit, find_hardware


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
