"""The network as a LiteRT file (TensorFlow Lite): for phones and small computers."""

import importlib
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from lungcli.model.export_formats import INPUT, OUTPUT, Precision
from lungcli.model.info import ModelInfo
from lungcli.nn import quiet_stderr
from lungcli.nn.saved_model_export import write_saved_model
from lungcli.system.cores import num_cores

# By the names of their layers, what `onnx_precision` leaves in float32 too: what
# decides where the outline runs.
_IN_FLOAT: Final = re.compile(
    r"(^|[/;])(normalization|stem|down[01]|pool[01]|upsample0|skip0|up0|logits|softmax)_"
)
_Calibration = Callable[[], Iterator[dict[str, NDArray[np.float32]]]]


def write_litert(
    network: keras.Model,
    path: Path,
    *,
    precision: str,
    images: NDArray[np.uint8] | None = None,
) -> None:
    """Write a LiteRT file that maps one CXR to its probabilities.

    Its input `image` is float32 `(1, size, size, 1)` in [0, 1], its output
    `probabilities` float32 `(1, size, size, structures)`, of any precision.

    Args:
        network: Built on TensorFlow, in float32.
        path: The file.
        precision: `float32`; `float16`, in which weights are stored; or `int8`, in
            which most of the convolutions compute.
        images: To calibrate `int8` with, uint8 `(n, size, size, 1)`.

    References:
        Selective quantization,
        https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_debugger
    """
    with tempfile.TemporaryDirectory() as folder, quiet_stderr(), _no_warnings():
        write_saved_model(network, Path(folder), batch=1)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if precision == Precision.INT8:
            content = _quantize(folder, converter.convert(), images)
        else:
            if precision == Precision.FLOAT16:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = [tf.float16]
            content = converter.convert()
    path.write_bytes(content)


def _quantize(folder: str, full: bytes, images: NDArray[np.uint8] | None) -> bytes:
    """Convert once more, with 8 bits for all but the layers of `_IN_FLOAT`."""

    def calibration() -> Iterator[dict[str, NDArray[np.float32]]]:
        for image in [] if images is None else images:
            yield {INPUT: np.multiply(image[None], np.float32(1 / 255), dtype="f4")}

    names = [tensor["name"] for tensor in _interpreter(full).get_tensor_details()]
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=calibration,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(
            denylisted_nodes=[name for name in names if _IN_FLOAT.search(name)]
        ),
    )
    content: bytes = debugger.get_nondebug_quantized_model()
    return content


def _interpreter(content: bytes) -> Any:
    """Return an interpreter: of LiteRT's own package, or the one in TensorFlow."""
    try:
        module = importlib.import_module("ai_edge_litert.interpreter")
    except ImportError:
        module = tf.lite
    return module.Interpreter(model_content=content, num_threads=num_cores())


def _no_warnings() -> Any:
    return warnings.catch_warnings(action="ignore")  # that the interpreter will move


class LiteRtPredictor:
    """A LiteRT file, called as other programs call it.

    Args:
        path: Of `write_litert`.
        info: What is known about the network.
    """

    batch_size = 1

    def __init__(self, path: Path, info: ModelInfo) -> None:
        with quiet_stderr(), _no_warnings():
            self._interpreter = _interpreter(path.read_bytes())
            self._interpreter.allocate_tensors()  # greets on stderr
            self._run = self._interpreter.get_signature_runner()
        self.info = info

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of the structures.

        Args:
            images: CXRs, uint8 `(n, size, size, 1)` of the model's size.

        Returns:
            float32 `(n, size, size, structures)`.
        """
        batch = np.multiply(images, np.float32(1 / 255), dtype=np.float32)
        return np.concatenate(
            [self._run(**{INPUT: image[None]})[OUTPUT] for image in batch]
        )
