"""What XLA compiles, on this machine and on pretended ones."""

import platform

import keras
import pytest

from lungcli.nn import fused as module
from lungcli.nn.fused import fused

tf = pytest.importorskip("tensorflow")


@pytest.fixture
def compiled(monkeypatch):
    """Return a function that tells whether TensorFlow compiled it."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(
        tf, "function", lambda _, *, jit_compile, autograph: lambda: jit_compile
    )
    return fused(lambda: False)


def pretend(monkeypatch, *, system, processor, gpus):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "processor", lambda: processor)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: gpus)


@pytest.mark.parametrize(
    ("system", "processor", "gpus", "expected"),
    [
        pytest.param("Linux", "x86_64", ["GPU"], True, id="linux"),
        pytest.param("Darwin", "arm", [], True, id="mac-processor"),
        pytest.param("Darwin", "arm", ["GPU"], False, id="mac-gpu"),
        pytest.param("Darwin", "i386", ["GPU"], True, id="old-mac"),
    ],
)
def test_compiled_where_keras_would(
    monkeypatch, compiled, system, processor, gpus, expected
):
    pretend(monkeypatch, system=system, processor=processor, gpus=gpus)
    assert compiled() == expected


@pytest.mark.parametrize(
    ("deterministic", "cpu", "expected"),
    [
        pytest.param(False, False, True, id="gpu"),
        pytest.param(True, False, False, id="deterministic-gpu"),
        pytest.param(True, True, True, id="processor"),
    ],
)
def test_deterministic_gpu_compiles_nothing(
    monkeypatch, compiled, deterministic, cpu, expected
):
    from tensorflow.python.framework import config

    pretend(monkeypatch, system="Linux", processor="x86_64", gpus=[])
    monkeypatch.setattr(config, "is_op_determinism_enabled", lambda: deterministic)
    monkeypatch.setattr(module, "on_cpu", lambda: cpu)
    assert compiled() == expected


@pytest.mark.parametrize(
    ("backend", "system"),
    [pytest.param("jax", "linux", id="jax"), pytest.param("tensorflow", "win32")],
)
def test_left_alone(monkeypatch, backend, system):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(module.sys, "platform", system)

    def function():
        """Do nothing."""

    assert fused(function) is function
