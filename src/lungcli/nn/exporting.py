"""A trained network in the format of another program."""

import sys
import tempfile
from pathlib import Path
from typing import Final, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from lungcli.errors import LungcliError, ModelError
from lungcli.model.export_formats import Precision, Target
from lungcli.model.info import ModelInfo, load_info
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.model.onnx_session import open_session
from lungcli.nn.model_file import first_line, load_network
from lungcli.nn.onnx_export import export_onnx
from lungcli.nn.onnx_precision import halve_onnx, quantize_onnx
from lungcli.nn.tensorflow_process import run_with_tensorflow
from lungcli.system.cores import num_cores

_ITSELF: Final = "lungcli.nn.exporting"  # also where it runs as `__main__`


class ExportedNetwork(Protocol):
    """What runs an exported network."""

    info: ModelInfo
    batch_size: int

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return `(n, size, size, structures)` for uint8 CXRs `(n, size, size, 1)`."""


def export_network(
    folder: Path,
    path: Path,
    *,
    to: str,
    precision: str,
    images: NDArray[np.uint8] | None = None,
) -> None:
    """Write the network of a run for another program.

    Whatever the precision, its input and output are float32. Where Keras runs on
    another backend than TensorFlow, a process of its own does it.

    Args:
        folder: The run.
        path: The file, or the empty folder of a SavedModel.
        to: `onnx`, `saved-model` or `litert`.
        precision: `float32`, `float16` (in which weights are stored) or `int8`.
        images: To calibrate `int8` with, uint8 `(n, size, size, 1)`.

    Raises:
        ModelError: If it cannot be exported.
        ValueError: If there are no images for `int8`.
    """
    if precision == Precision.INT8 and images is None:
        msg = "int8 needs images to calibrate with."
        raise ValueError(msg)
    try:
        if to == Target.ONNX:
            _export_onnx(folder, path, precision, images)
        elif keras.backend.backend() == "tensorflow":
            _export_with_tensorflow(folder, path, to, precision, images)
        else:
            _export_in_other_process(folder, path, to, precision, images)
    except LungcliError:
        raise
    except Exception as error:  # of TensorFlow, onnx or onnxruntime: any kind
        msg = f"cannot export {folder} as {precision} {to} ({first_line(error)})."
        raise ModelError(msg) from error


def open_exported(path: Path, to: str, info: ModelInfo) -> ExportedNetwork:
    """Load what `export_network` has written, as the other program would.

    Raises:
        ModelError: If it cannot be loaded.
    """
    try:
        if to == Target.ONNX:
            return OnnxPredictor(open_session(path, threads=num_cores()), info)
        # TensorFlow, also where Keras runs on something else
        from lungcli.nn.litert_export import LiteRtPredictor  # noqa: PLC0415
        from lungcli.nn.saved_model_export import SavedModelPredictor  # noqa: PLC0415

        return (LiteRtPredictor if to == Target.LITERT else SavedModelPredictor)(
            path, info
        )
    except LungcliError:
        raise
    except Exception as error:  # of TensorFlow: any kind
        msg = f"the exported network cannot be loaded ({first_line(error)})."
        raise ModelError(msg) from error


def _export_onnx(
    folder: Path, path: Path, precision: str, images: NDArray[np.uint8] | None
) -> None:
    export_onnx(folder, path)
    if precision == Precision.FLOAT16:
        halve_onnx(path)
    elif precision == Precision.INT8 and images is not None:
        quantize_onnx(path, images)


def _export_with_tensorflow(
    folder: Path, path: Path, to: str, precision: str, images: NDArray[np.uint8] | None
) -> None:
    from lungcli.nn.litert_export import write_litert  # noqa: PLC0415 - TensorFlow
    from lungcli.nn.saved_model_export import write_saved_model  # noqa: PLC0415

    network = load_network(folder, load_info(folder), dtype="float32")
    if to == Target.LITERT:
        write_litert(network, path, precision=precision, images=images)
    else:
        write_saved_model(network, path, half=precision == Precision.FLOAT16)


def _export_in_other_process(
    folder: Path, path: Path, to: str, precision: str, images: NDArray[np.uint8] | None
) -> None:
    if images is None:
        run_with_tensorflow(_ITSELF, folder, path, to, precision)
        return
    with tempfile.TemporaryDirectory() as temporary:
        calibration = Path(temporary) / "images.npy"
        np.save(calibration, images)
        run_with_tensorflow(_ITSELF, folder, path, to, precision, calibration)


def _main(folder: str, path: str, to: str, precision: str, *images: str) -> None:
    calibration = np.load(images[0]) if images else None
    export_network(
        Path(folder), Path(path), to=to, precision=precision, images=calibration
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
