"""Which number format is taken on which hardware."""

import sys
from types import SimpleNamespace

import keras
import pytest

from lungcli.errors import ConfigError
from lungcli.nn import precision
from lungcli.nn.precision import dtype_policy


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend to be another machine."""

    def pretend(devices, flags, capabilities=()):
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"flags : fpu {flags}\n")
        known = precision._cpu_computes_bfloat16
        monkeypatch.setattr(precision, "_cpu_computes_bfloat16", lambda: known(cpuinfo))

        def list_devices(kind=None):
            if kind == "gpu":  # as JAX does where there is none
                raise RuntimeError("Unknown backend")
            return devices

        monkeypatch.setattr(keras.distribution, "list_devices", list_devices)
        monkeypatch.setattr(
            precision, "_compute_capabilities", lambda: list(capabilities)
        )

    return pretend


@pytest.mark.parametrize(
    ("devices", "flags", "policy"),
    [
        pytest.param(["cpu:0"], "avx2", "float32", id="old-cpu"),
        pytest.param(["cpu:0"], "avx2 avx512_bf16", "mixed_bfloat16", id="avx512"),
        pytest.param(["cpu:0"], "amx_bf16", "mixed_bfloat16", id="amx"),
    ],
)
def test_auto_on_a_processor(machine, devices, flags, policy):
    machine(devices, flags)
    assert precision.on_cpu()
    assert dtype_policy("auto") == policy


@pytest.mark.parametrize(
    ("capabilities", "policy"),
    [
        pytest.param([(8, 0)], "mixed_bfloat16", id="A100"),
        pytest.param([(9, 0), (12, 0)], "mixed_bfloat16", id="two"),
        pytest.param([(7, 5)], "float32", id="T4"),
        pytest.param([(9, 0), (7, 0)], "float32", id="one-is-old"),
        pytest.param([()], "float32", id="another-maker"),
        pytest.param([], "float32", id="unseen"),
    ],
)
def test_auto_on_gpus(machine, capabilities, policy):
    machine(["gpu:0"], "avx512_bf16", capabilities)
    assert not precision.on_cpu()
    assert dtype_policy("auto") == policy


def test_capabilities_come_from_jax(monkeypatch):
    def device(platform, **told):
        return SimpleNamespace(platform=platform, **told)

    gpus = [device("gpu", compute_capability=told) for told in ("8.9", "gfx90a")]
    devices = [device("cpu"), *gpus, device("gpu")]
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: devices))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert precision._compute_capabilities() == [(8, 9), (), ()]


def test_capabilities_come_from_tensorflow(monkeypatch):
    config = pytest.importorskip("tensorflow").config
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: [kind, "odd"])
    details = {"GPU": {"compute_capability": (8, 6)}, "odd": {}}
    monkeypatch.setattr(config.experimental, "get_device_details", details.get)
    assert precision._compute_capabilities() == [(8, 6), ()]


def test_by_name(machine):
    machine(["cpu:0"], "")
    assert dtype_policy("float32") == "float32"
    assert dtype_policy("bfloat16") == "mixed_bfloat16"
    with pytest.raises(ConfigError, match="precision must be"):
        dtype_policy("float16")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(RuntimeError("no such thing\nand so on"), "no such thing", id="x"),
        pytest.param(AssertionError(), "AssertionError", id="wordless"),
    ],
)
def test_no_device(monkeypatch, error, reason):
    def list_devices():
        raise error

    monkeypatch.setattr(keras.distribution, "list_devices", list_devices)
    with pytest.raises(ConfigError, match=f"no device to compute on: {reason}\\. "):
        dtype_policy("auto")
