"""Write a trained network as ONNX, for a fast start without TensorFlow."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import onnx

from lungcli.errors import ModelError
from lungcli.files import whole_file
from lungcli.model_info import (
    ONNX,
    WEIGHTS_KEY,
    ModelInfo,
    fingerprint,
    load_info,
    weights_file,
)
from lungcli.nn.model_file import first_line, load_network
from lungcli.onnx_session import open_session

TOLERANCE = 1e-3  # of a probability, in float32; 4e-7 was measured
_OUTPUT = "probabilities"


def export_onnx(folder: Path) -> None:
    """Write `model.onnx` beside the weights of a run, computing in float32.

    Its input `image` is float32 `(batch, size, size, 1)` in [0, 1], its output
    `probabilities` float32 `(batch, size, size, 2)`. The metadata name the weights.

    Keras' exporter goes through TensorFlow. Under another backend it runs in a
    process of its own.

    Raises:
        ModelError: If it cannot be exported, or computes something else.
        OutputError: If the file cannot be written.
    """
    if keras.backend.backend() != "tensorflow":
        _export_elsewhere(folder)
        return
    info = load_info(folder)
    network = load_network(folder, info, dtype="float32")
    with whole_file(folder / ONNX) as part:
        try:
            _convert(network, part)
        except Exception as error:  # of TensorFlow, tf2onnx or onnx: any kind
            msg = f"cannot export {folder} as ONNX ({first_line(error)})."
            raise ModelError(msg) from error
        _describe(part, info, weights=fingerprint(weights_file(folder)))
        _compare(network, part, info.network.size)


def _export_elsewhere(folder: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", __name__, str(folder.resolve())]
    # S603: the command is this very module
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        msg = f"cannot export {folder} as ONNX ({last})."
        raise ModelError(msg)


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
    export_onnx(Path(sys.argv[1]))
