"""Which number format is taken on which hardware."""

import keras
import pytest

from lungcli.errors import ConfigError
from lungcli.nn import precision
from lungcli.nn.precision import dtype_policy


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend to be another machine."""

    def pretend(devices, flags):
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"flags : fpu {flags}\n")
        known = precision._cpu_computes_bfloat16
        monkeypatch.setattr(precision, "_cpu_computes_bfloat16", lambda: known(cpuinfo))

        def list_devices(kind=None):
            if kind == "gpu":  # as JAX does where there is none
                raise RuntimeError("Unknown backend")
            return devices

        monkeypatch.setattr(keras.distribution, "list_devices", list_devices)

    return pretend


@pytest.mark.parametrize(
    ("devices", "flags", "policy"),
    [
        pytest.param(["cpu:0"], "avx2", "float32", id="old-cpu"),
        pytest.param(["cpu:0"], "avx2 avx512_bf16", "mixed_bfloat16", id="avx512"),
        pytest.param(["cpu:0"], "amx_bf16", "mixed_bfloat16", id="amx"),
        pytest.param(["gpu:0"], "avx2", "mixed_bfloat16", id="gpu"),
    ],
)
def test_auto(machine, devices, flags, policy):
    machine(devices, flags)
    assert dtype_policy("auto") == policy
    assert precision.on_cpu() == (devices == ["cpu:0"])


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
