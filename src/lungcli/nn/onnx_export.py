"""Write a trained network as ONNX, for a fast start without TensorFlow."""

import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import onnx

from lungcli.errors import ModelError
from lungcli.model.info import (
    ONNX,
    WEIGHTS_KEY,
    ModelInfo,
    fingerprint,
    load_info,
    weights_file,
)
from lungcli.model.onnx_session import open_session
from lungcli.nn.model_file import first_line, load_network
from lungcli.nn.tensorflow_process import run_with_tensorflow
from lungcli.system.files import whole_file

TOLERANCE = 1e-3  # of a probability, in float32; 4e-7 was measured
_OUTPUT = "probabilities"


def export_onnx(folder: Path, path: Path | None = None) -> None:
    """Write the network of a run as ONNX, computing in float32.

    Its input `image` is float32 `(batch, size, size, 1)` in [0, 1], its output
    `probabilities` float32 `(batch, size, size, structures)`. The metadata name the
    weights.

    Keras' exporter goes through TensorFlow. Under another backend it runs in a
    process of its own.

    Args:
        folder: The run.
        path: The file; by default `model.onnx` beside the weights.

    Raises:
        ModelError: If it cannot be exported, or computes something else.
        OutputError: If the file cannot be written.
    """
    path = path or folder / ONNX
    if keras.backend.backend() != "tensorflow":
        run_with_tensorflow(__name__, folder, path)
        return
    info = load_info(folder)
    network = load_network(folder, info, dtype="float32")
    with whole_file(path) as part:
        try:
            _convert(network, part)
        except Exception as error:  # of TensorFlow, tf2onnx or onnx: any kind
            msg = f"cannot export {folder} as ONNX ({first_line(error)})."
            raise ModelError(msg) from error
        _describe(part, info, weights=fingerprint(weights_file(folder)))
        _compare(network, part, info.network.size)


def _convert(network: keras.Model, path: Path) -> None:
    network(_noise(network.input_shape[1]))  # the exporter wants a called model
    with warnings.catch_warnings(action="ignore"):  # of tf2onnx, about NumPy
        network.export(path, format="onnx", verbose=False)


def _describe(path: Path, info: ModelInfo, *, weights: str) -> None:
    """Give names to the exporter's numbered tensors, and say what the file is."""
    model = onnx.load(path)
    graph = model.graph
    graph.doc_string = ""  # holds the name of a temporary folder
    numbered = graph.output[0].name
    for node in graph.node:
        node.output[:] = [_OUTPUT if name == numbered else name for name in node.output]
    graph.output[0].name = _OUTPUT
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.helper.set_model_props(
        model,
        {
            WEIGHTS_KEY: weights,
            "threshold": str(info.threshold),
            "convention": info.convention,
            "license": info.license,
        },
    )
    onnx.save(model, path)


def _compare(network: keras.Model, path: Path, size: int) -> None:
    image = _noise(size)
    session = open_session(path, threads=1)
    (exported,) = session.run(None, {session.get_inputs()[0].name: image})
    difference = float(np.abs(exported - network.predict_on_batch(image)).max())
    if not difference < TOLERANCE:
        msg = (
            f"the network exported to ONNX differs by {difference:.2g} from Keras'. "
            "Predict with --engine keras."
        )
        raise ModelError(msg)


def _noise(size: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, size, size, 1), np.float32)


if __name__ == "__main__":
    export_onnx(Path(sys.argv[1]), Path(sys.argv[2]))
