"""Open an ONNX network in onnxruntime, quietly and without surprises."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lungcli.errors import ModelError
from lungcli.onnx_file import read_network

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")
_ERRORS_ONLY: Final = 3  # of onnxruntime's log levels
# What lies there is trusted as the code is.
_PROGRAM: Final = Path(__file__).resolve().parent


def open_session(path: Path, *, threads: int) -> "onnxruntime.InferenceSession":
    """Return a session that several threads may use at once.

    An NVIDIA GPU is asked for where `onnxruntime-gpu` is installed.

    A file that did not come with lungcli is looked into first, and not opened again.

    Args:
        path: ONNX file.
        threads: How many threads compute one call on the CPU.

    Raises:
        ModelError: If the file cannot be used.
    """
    import onnxruntime  # noqa: PLC0415 - 0.15 s, for those who need it

    onnxruntime.disable_telemetry_events()  # there are some on Windows
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
        return onnxruntime.InferenceSession(network, options, providers=providers)
    except Exception as error:  # onnxruntime's own kinds share no base but this
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        msg = f"cannot use the network {path} ({reason}). Restore it, or train again."
        raise ModelError(msg) from error
