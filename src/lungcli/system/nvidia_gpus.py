"""The NVIDIA GPUs of this machine, found without CUDA: by the files of their driver.

TensorFlow, JAX and onnxruntime see a GPU only if what they need of CUDA is installed.
Without, they compute on the processor and say nothing.
"""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")
_DEVICES: Final = "dev"
_DRIVER: Final = "proc/driver/nvidia/gpus"
# /dev/dxg is there for any GPU; CUDA's library comes from NVIDIA's driver for Windows
_WSL: Final = ("dev/dxg", "usr/lib/wsl/lib/libcuda.so.1")
_UNNAMED: Final = "NVIDIA"


def find_nvidia_gpus() -> tuple[str, ...]:
    """Return the models of the GPUs that this process may use; empty without one.

    No more than a few small files are read. A GPU is left out if it was kept from us:
    by CUDA_VISIBLE_DEVICES, or by a container or a scheduler, which takes the device
    file away, or closes it. On Windows itself none is found: neither TensorFlow nor
    JAX would compute on it.
    """
    if _are_hidden():
        return ()
    minors = sorted(
        path.name.removeprefix("nvidia")
        for path in (_ROOT / _DEVICES).glob("nvidia[0-9]*")
        if _is_open(path)
    )
    if not minors and all((_ROOT / name).exists() for name in _WSL):
        return (_UNNAMED,)
    models = _models()
    return tuple(models.get(minor, _UNNAMED) for minor in minors)


def note_unseen(library: str, install: str) -> str | None:
    """Say that a library does not see the GPUs of this machine; None without one.

    Args:
        library: What sees none.
        install: Command that installs what it needs.
    """
    gpus = find_nvidia_gpus()
    if not gpus:
        return None
    models = ", ".join(
        model if count == 1 else f"{count} x {model}"
        for model, count in Counter(gpus).items()
    )
    return (
        f"{library} does not see the GPU{'s' * (len(gpus) > 1)} of this machine "
        f"({models}) and computes on the processor. Run: {install}. Where that was "
        "done, look at the driver with nvidia-smi."
    )


def _are_hidden() -> bool:
    """Tell whether CUDA_VISIBLE_DEVICES names no GPU; CUDA stops at what is none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible is not None and not re.match(r"\s*(\d|GPU|MIG)", visible)


def _is_open(device: Path) -> bool:
    return os.access(device, os.R_OK | os.W_OK)


def _models() -> dict[str, str]:
    """Return the models by the number of the device file; containers may hide them."""
    found = {}
    for path in (_ROOT / _DRIVER).glob("*/information"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        values = dict(re.findall(r"^([\w ]+):[ \t]*(.*\S)", text, flags=re.MULTILINE))
        if {"Model", "Device Minor"} <= values.keys():
            found[values["Device Minor"]] = values["Model"]
    return found
