"""Smaller ONNX networks: kernels in half precision, or convolutions in 8 bits."""

import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lungcli.errors import ModelError
from lungcli.model.onnx_session import load_onnxruntime

# These decide where the outline runs; what is between them is most of the network. In
# the default network: the stem, the two upper levels of the way down, the upper one of
# the way up, and the logits.
FIRST_IN_FLOAT: Final = 6
LAST_IN_FLOAT: Final = 4
_CONVOLUTIONS: Final = ("Conv", "ConvTranspose")
_OF_QUANTIZER: Final = ("onnx.infer", "onnx.quant.pre_process")  # notes to itself


def halve_onnx(path: Path) -> None:
    """Store the kernels of an ONNX network as float16; it still computes in float32.

    onnxruntime casts them once, when it opens the file.

    Raises:
        ModelError: If a kernel leaves the range of float16.
    """
    model = onnx.load(path)
    graph = model.graph
    casts, stored = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2:
            stored.append(tensor)
            continue
        name = f"{tensor.name}_half"
        half = to_half(path, tensor.name, values)
        stored.append(numpy_helper.from_array(half, name))
        casts.append(
            helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)
    onnx.save(model, path)


def to_half(source: Path, name: str, kernel: NDArray[Any]) -> NDArray[np.float16]:
    """Return a kernel as float16.

    Args:
        source: The file that it is from, for the message.
        name: Its name there.
        kernel: Its weights.

    Raises:
        ModelError: If one leaves the range of float16.
    """
    with np.errstate(over="ignore"):  # looked for below
        half = kernel.astype(np.float16)
    if not np.isfinite(half).all():
        largest = np.finfo(np.float16).max
        msg = (
            f"{source}: the weights {name} do not fit into half precision, whose "
            f"largest number is {largest:.0f}. Train with more --weight-decay, or "
            "choose another run."
        )
        raise ModelError(msg)
    return half


def quantize_onnx(path: Path, images: NDArray[np.uint8]) -> None:
    """Let the convolutions of an ONNX network compute in 8 bits, in place.

    Static quantization in the QDQ form: weights per channel and symmetric, activations
    with the range that 99.998 % of them have on the images. The first `FIRST_IN_FLOAT`
    and the last `LAST_IN_FLOAT` convolutions, and whatever is no convolution, stay in
    float32; so do input and output.

    Args:
        path: The network, in float32.
        images: To calibrate with, uint8 `(n, size, size, 1)`.

    Raises:
        ModelError: If the network has no convolution but these.

    References:
        Jacob et al. (2018), Quantization and training of neural networks for
        efficient integer-arithmetic-only inference, https://doi.org/10.1109/CVPR.2018.00286
    """
    load_onnxruntime()
    # the quantizer takes 0.3 s to import
    from onnxruntime import quantization  # noqa: PLC0415
    from onnxruntime.quantization.shape_inference import (  # noqa: PLC0415
        quant_pre_process,
    )

    class Images(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._left = _as_inputs(path, images)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self._left, None)

    model = onnx.load(path)
    names = [node.name for node in model.graph.node if node.op_type in _CONVOLUTIONS]
    if len(names) <= FIRST_IN_FLOAT + LAST_IN_FLOAT:
        msg = (
            f"the network has only {len(names)} convolutions, and the first "
            f"{FIRST_IN_FLOAT} and last {LAST_IN_FLOAT} stay in float32: 8 bits save "
            "nothing. Export it with --precision float16."
        )
        raise ModelError(msg)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        folded, quantized = Path(folder) / "folded.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(path, folded, skip_symbolic_shape=True)
        quantization.quantize_static(
            folded,
            quantized,
            Images(),
            quant_format=quantization.QuantFormat.QDQ,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[*names[:FIRST_IN_FLOAT], *names[-LAST_IN_FLOAT:]],
        )
        small = onnx.load(quantized)
    kept = [entry for entry in small.metadata_props if entry.key not in _OF_QUANTIZER]
    del small.metadata_props[:]
    small.metadata_props.extend(kept)
    onnx.save(small, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what onnxruntime tells of its progress, on stdout, and warns of NumPy."""
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
        yield


def _as_inputs(
    path: Path, images: NDArray[np.uint8]
) -> Iterator[dict[str, NDArray[np.float32]]]:
    name = onnx.load(path).graph.input[0].name
    for image in images:
        yield {name: np.multiply(image[None], np.float32(1 / 255), dtype=np.float32)}
