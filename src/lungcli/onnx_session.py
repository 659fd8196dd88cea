"""Open an ONNX network in onnxruntime, quietly and without surprises."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lungcli.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ERRORS_ONLY: Final = 3  # of onnxruntime's log levels


def open_session(path: Path, *, threads: int) -> "onnxruntime.InferenceSession":
    """Return a session that several threads may use at once.

    An NVIDIA GPU is asked for where `onnxruntime-gpu` is installed.

    Args:
        path: ONNX file.
        threads: How many threads compute one call on the CPU.

    Raises:
        ModelError: If the file cannot be used.
    """
    import onnxruntime  # noqa: PLC0415 - 0.15 s, for those who need it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads that spin would take the cores from decoding and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    available = onnxruntime.get_available_providers()
    providers = [name for name in _PROVIDERS if name in available]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's own kinds share no base but this
        reason = str(error).splitlines()[0][:200]
        msg = f"cannot use the network {path} ({reason}). Restore it, or train again."
        raise ModelError(msg) from error
