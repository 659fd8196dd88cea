"""What a bug report needs to know of the machine and the installation."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from lungcli._version import __version__
from lungcli.errors import ConfigError, ModelError
from lungcli.model.find import BUNDLED, MODELS, bundled_models
from lungcli.model.info import ONNX
from lungcli.model.onnx_session import open_session, unseen_gpu
from lungcli.model.runs import RUNS, find_run
from lungcli.system.cores import num_cores
from lungcli.system.files import real_path
from lungcli.system.nvidia_gpus import find_nvidia_gpus

_PACKAGES: Final = (
    "keras",
    "tensorflow",
    "jax",
    "numpy",
    "scipy",
    "pillow",
    "scikit-image",
    "imageio",
    "onnxruntime",
    "onnxruntime-gpu",
    "pydicom",
    "typer",
    "rich",
)
_VARIABLES: Final = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
# TensorFlow's own only: Terraform's begin with TF_ too, and some hold passwords
_VARIABLE_PREFIXES: Final = (
    "JAX_",
    "KERAS_",
    "TF_CPP_",
    "TF_CUDNN_",
    "TF_DETERMINISTIC_",
    "TF_DISABLE_",
    "TF_ENABLE_",
    "TF_FORCE_",
    "TF_GPU_",
    "TF_NUM_",
    "TF_USE_",
    "TF_XLA_",
    "XLA_",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What was found.

    Attributes:
        sections: Values by section and name; None is unknown or absent. The home
            folder is `~`, so that a report names no user.
        problem: Why Keras cannot be used; empty if it can.
    """

    sections: Mapping[str, Mapping[str, Any]]
    problem: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a JSON document."""
        return {**self.sections, "problem": self.problem or None}


def info(*, runs: Path = RUNS) -> Info:
    """Look at the installation, the machine, and what lungcli finds where.

    Args:
        runs: Folder of all runs.
    """
    environment = _environment()  # before Keras is loaded, which adds to it
    onnxruntime = _onnxruntime()  # before Keras, which may take all of a GPU's memory
    keras, models, problem = _with_keras()
    sections = {
        "versions": _versions(),
        "machine": machine(),
        "keras": keras,
        "onnxruntime": onnxruntime,
        "models": models,
        "runs": _runs(runs),
        "caches": _caches(),
        "environment": environment,
    }
    return Info(sections=abbreviate_home(sections), problem=abbreviate_home(problem))


def abbreviate_home(value: Any) -> Any:
    """Write `~` for the home folder in every text inside a JSON value."""
    if isinstance(value, Mapping):
        return {name: abbreviate_home(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [abbreviate_home(inner) for inner in value]
    if not isinstance(value, str):
        return value
    home = _home()
    for folder in {home, real_path(home)} - {Path(home.anchor)}:
        value = re.sub(rf"{re.escape(str(folder))}(?![\w.-])", "~", value)
    return value


def _versions() -> dict[str, str | None]:
    packages = {name: _version(name) for name in _PACKAGES}
    return {"lungcli": __version__, "python": platform.python_version(), **packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """Return operating system, processor, usable cores and GPUs, and memory."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": num_cores(),
        "memory_gib": _memory_gib(),
        "nvidia_gpus": list(find_nvidia_gpus()),
    }


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:  # no Linux
        return platform.processor() or None
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory_gib() -> float | None:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows does not know
        return None
    return round(size / 2**30, 1)


def _onnxruntime() -> dict[str, Any]:
    """Return what the network that came with lungcli computes on; None is unknown."""
    try:
        session = open_session(bundled_models()[BUNDLED] / ONNX, threads=1)
    except ModelError:  # taken out of this installation
        return {"providers": None, "unseen_gpu": None}
    return {"providers": session.get_providers(), "unseen_gpu": unseen_gpu(session)}


def _with_keras() -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return what only Keras and the rooms above it know, or why they do not load."""
    try:
        from lungcli.nn.hardware import find_hardware  # noqa: PLC0415 - may be broken
    except ConfigError as error:
        return {"backend": None}, {}, str(error)
    there = [name for name, folder in bundled_models().items() if folder.is_dir()]
    models = {"folder": str(MODELS), "bundled": there}
    try:
        hardware = find_hardware()
    except ConfigError as error:
        return {"backend": None}, models, str(error)
    keras = {
        "backend": hardware.backend,
        "devices": list(hardware.devices),
        "accelerators": list(hardware.accelerators),
        "number_formats": list(hardware.formats),
        "precision_auto": hardware.auto,
        "unseen_gpu": hardware.unseen_gpu,
    }
    return keras, models, ""


def _runs(runs: Path) -> dict[str, str | None]:
    try:
        latest = str(real_path(find_run(None, runs=runs).root))
    except ModelError:
        latest = None
    return {"folder": str(real_path(runs)), "latest": latest}


def _caches() -> dict[str, str | None]:
    return {
        "keras": os.environ.get("KERAS_HOME", str(_home() / ".keras")),
        "jax_compilation": os.environ.get("JAX_COMPILATION_CACHE_DIR"),
    }


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111 - the other one may raise


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
    }
