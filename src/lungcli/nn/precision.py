"""Which number format the hardware computes in."""

import os
from pathlib import Path

import keras

from lungcli.errors import ConfigError

_DETERMINISTIC_FLAG = "--xla_gpu_deterministic_ops=true"
_CPU_FLAGS = ("avx512_bf16", "amx_bf16")
_AMPERE = (8, 0)  # compute capability of the first GPUs of NVIDIA with bfloat16


def dtype_policy(precision: str) -> str:
    """Return the Keras dtype policy for `--precision`.

    Args:
        precision: `float32`, `bfloat16`, or `auto`: bfloat16 where the processor, or
            every GPU, is known to compute in it.

    Returns:
        `"float32"` or `"mixed_bfloat16"`, which keeps weights and outputs in
        float32.

    Raises:
        ConfigError: If the precision has no such name.
    """
    if precision == "auto":
        known = _cpu_computes_bfloat16 if on_cpu() else _gpus_compute_bfloat16
        return "mixed_bfloat16" if known() else "float32"
    policies = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
    if precision not in policies:
        msg = f"precision must be auto, float32 or bfloat16, got {precision!r}."
        raise ConfigError(msg)
    return policies[precision]


def list_devices() -> tuple[str, ...]:
    """Return what Keras computes on, such as `cpu:0` or `gpu:0`.

    Raises:
        ConfigError: If the backend finds nothing that it may use.
    """
    try:
        return tuple(keras.distribution.list_devices())
    except (AssertionError, RuntimeError) as error:  # JAX asserts that it found one
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = (
            f"the Keras backend {keras.backend.backend()} finds no device to compute "
            f"on: {reason}. Check JAX_PLATFORMS and the driver of the GPU."
        )
        raise ConfigError(msg) from error


def on_cpu() -> bool:
    """Tell whether Keras computes on the processor."""
    return not _has_gpu()


def make_deterministic() -> None:
    """Have the backend add up in one order, so that equal runs are equal to the bit.

    TensorFlow adds up in parallel, in whatever order the threads are done; told to,
    it does so in one order, which costs nothing on a processor. JAX does so there
    unasked.

    Raises:
        ConfigError: On JAX with a GPU, which must be told before Python starts.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow  # noqa: PLC0415 - only where it is the backend

        tensorflow.config.experimental.enable_op_determinism()
    elif _has_gpu() and _DETERMINISTIC_FLAG not in os.environ.get("XLA_FLAGS", ""):
        msg = (
            f"--deterministic on a GPU needs XLA_FLAGS={_DETERMINISTIC_FLAG} in the "
            "environment. Set it, or leave --deterministic out."
        )
        raise ConfigError(msg)


def _has_gpu() -> bool:
    # asking for "gpu" by name is an error in JAX where there is none
    return any(name.startswith("gpu") for name in list_devices())


def _gpus_compute_bfloat16() -> bool:
    """Tell whether all are known to; those of other makers than NVIDIA do not say."""
    capabilities = _compute_capabilities()
    return bool(capabilities) and min(capabilities) >= _AMPERE


def _compute_capabilities() -> list[tuple[int, ...]]:
    """Return that of each GPU; empty for one that has none."""
    if keras.backend.backend() == "jax":
        import jax  # noqa: PLC0415 - only where it is the backend

        gpus = [device for device in jax.devices() if device.platform != "cpu"]
        return [_numbers(getattr(gpu, "compute_capability", "")) for gpu in gpus]
    from tensorflow import config  # noqa: PLC0415 - only where it is the backend

    details = config.experimental.get_device_details
    gpus = config.list_physical_devices("GPU")
    return [details(gpu).get("compute_capability", ()) for gpu in gpus]


def _numbers(version: str) -> tuple[int, ...]:
    """Parse "8.0"; what is written otherwise, as AMD's, is nothing."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else ()


def _cpu_computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:  # no Linux: nothing is known, and float32 is always right
        return False
    return any(flag in text for flag in _CPU_FLAGS)
