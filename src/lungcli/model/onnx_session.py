"""Open an ONNX network in onnxruntime, quietly and without surprises."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lungcli.errors import ModelError
from lungcli.model.onnx_file import read_network
from lungcli.system.nvidia_gpus import note_unseen

if TYPE_CHECKING:
    import onnxruntime

_CUDA: Final = "CUDAExecutionProvider"
_PROVIDERS: Final = (_CUDA, "CPUExecutionProvider")
# Both packages fill one folder: whichever is removed later breaks the other.
_INSTALL_CUDA: Final = (
    "pip uninstall -y onnxruntime onnxruntime-gpu && "
    "pip install 'onnxruntime-gpu[cuda,cudnn]'"
)
_ERRORS_ONLY: Final = 3  # of onnxruntime's log levels
# What lies there is trusted as the code is.
_PROGRAM: Final = Path(__file__).resolve().parents[1]  # of lungcli


def load_onnxruntime() -> Any:
    """Import onnxruntime, and have it tell nobody anything.

    It can report to its makers what it is used for. From version 1.32 on it would begin
    at the import, with the number of a session in the temporary folder.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415 - 0.15 s, for those who need it

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def open_session(path: Path, *, threads: int) -> "onnxruntime.InferenceSession":
    """Return a session that several threads may use at once.

    An NVIDIA GPU is asked for where `onnxruntime-gpu` is installed. Where it cannot be
    used, the CPU computes.

    A file that did not come with lungcli is looked into first, and not opened again.

    Args:
        path: ONNX file.
        threads: How many threads compute one call on the CPU.

    Raises:
        ModelError: If the file cannot be used.
    """
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads that spin would take the cores from decoding and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A file can be both ONNX and onnxruntime's own format, with another network in it.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    available = onnxruntime.get_available_providers()
    providers = [name for name in _PROVIDERS if name in available]
    try:
        ours = path.resolve().is_relative_to(_PROGRAM)
        network = str(path) if ours else read_network(path)
        with _cuda_at_hand(onnxruntime) if _CUDA in providers else nullcontext():
            return onnxruntime.InferenceSession(network, options, providers=providers)
    except Exception as error:  # onnxruntime's own kinds share no base but this
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        msg = f"cannot use the network {path} ({reason}). Restore it, or train again."
        raise ModelError(msg) from error


def unseen_gpu(session: "onnxruntime.InferenceSession") -> str | None:
    """Say which NVIDIA GPU a session does not use, and what to install.

    Returns:
        None if it uses one, or there is none.
    """
    if _CUDA in session.get_providers():
        return None
    return note_unseen("onnxruntime", _INSTALL_CUDA)


@contextmanager
def _cuda_at_hand(onnxruntime: Any) -> Iterator[None]:
    """Load what pip installed of CUDA, which onnxruntime does not find by itself.

    What is missing it prints, then and when it falls back to the CPU: stdout is for
    results.
    """
    with redirect_stdout(StringIO()):
        onnxruntime.preload_dlls(msvc=False)
        yield
