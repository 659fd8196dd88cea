"""The machine a benchmark runs on."""

import csv
import os
import platform
import shutil
import subprocess
from typing import Any

from lungcli._version import __version__
from lungcli.workflows import info

CPU, CUDA = "cpu", "cuda"


def devices(wanted: str) -> list[str]:
    """Return what to measure on: `auto` is the processor and, if there is one, CUDA."""
    if wanted != "auto":
        return [wanted]
    return [CPU, CUDA] if gpu_name() else [CPU]


def gpu_name() -> str:
    """Return the name of the first CUDA device, `""` if there is none."""
    return query_gpu("name")


def query_gpu(field: str) -> str:
    """Return what nvidia-smi says about the first device, `""` if there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = list(csv.reader(answer.stdout.splitlines()))
    return rows[0][0].strip() if answer.returncode == 0 and rows else ""


def lungcli_env(device: str) -> dict[str, str]:
    """Return the environment that puts lungcli on a device.

    On CUDA it runs with JAX, unless KERAS_BACKEND says otherwise. JAX would take
    three quarters of the memory at once; the contestants share the device.
    """
    if device == CPU:
        return {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    return {
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax"),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def describe() -> dict[str, Any]:
    """Return what must be known to read the figures."""
    return {
        **info.machine(),
        "gpu": gpu_name() or None,
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "lungcli": __version__,
    }
