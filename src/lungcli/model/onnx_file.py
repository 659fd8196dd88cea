"""Look into an ONNX file before onnxruntime computes what it says.

An ONNX file is a program: it can name other files to read its numbers from, loop for
ever, call what somebody else has installed, or ask for more memory than there is. The
networks of lungcli need none of that.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import onnx

OPERATORS: Final = frozenset(
    {
        "Add",
        "And",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "Conv",
        "ConvTranspose",
        "CumSum",
        "DequantizeLinear",
        "Div",
        "Equal",
        "Floor",
        "Gather",
        "GlobalMaxPool",
        "Greater",
        "Identity",
        "LeakyRelu",
        "Less",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mul",
        "Not",
        "Pad",
        "QuantizeLinear",
        "ReduceMax",
        "ReduceMin",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Resize",
        "Round",
        "Shape",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Squeeze",
        "Sub",
        "Transpose",
        "Unsqueeze",
    }
)
"""What a U-Net computes with, its normalization of gray values included.

None of them loops, draws by lot, or reads a file.
"""

_MOST_BYTES: Final = 2**31 - 1  # the format itself ends there
_MOST_NODES: Final = 10_000
_MOST_VALUES: Final = 2**28  # of one step on one X-ray: 1 GiB in float32


def read_network(path: Path) -> bytes:
    """Return the content of an ONNX file that describes a plain network.

    Args:
        path: The file; less than 2 GiB, as ONNX has it.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no ONNX file, is too large, keeps numbers in other files,
            has operators besides `OPERATORS`, or an unbounded need of memory.

    References:
        ONNX, Open Neural Network Exchange Intermediate Representation,
        https://github.com/onnx/onnx/blob/main/docs/IR.md
    """
    if path.stat().st_size > _MOST_BYTES:
        msg = "larger than 2 GiB"
        raise ValueError(msg)
    content = path.read_bytes()
    _check(_parse(content))
    return content


def _parse(content: bytes) -> "onnx.ModelProto":
    import onnx  # noqa: PLC0415 - 0.1 s, for networks that did not come with lungcli

    try:
        return onnx.ModelProto.FromString(content)
    except Exception as error:  # of protobuf, which onnx does not name
        msg = "it is no ONNX file"
        raise ValueError(msg) from error


def _check(model: "onnx.ModelProto") -> None:
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer:
        msg = "it has parts that no network of lungcli has"
        raise ValueError(msg)
    if len(graph.input) != 1 or len(graph.output) != 1:
        msg = "it does not map one image to one result"
        raise ValueError(msg)
    if len(graph.node) > _MOST_NODES:
        msg = f"it has more than {_MOST_NODES} operations"
        raise ValueError(msg)
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node)
    _check_memory(model)


def _check_node(node: "onnx.NodeProto") -> None:
    if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
        name = f"{node.domain}.{node.op_type}".lstrip(".")
        msg = f"its operation {name[:60]!r} is none of a plain network's"
        raise ValueError(msg)
    for attribute in node.attribute:
        if attribute.HasField("g") or attribute.graphs or attribute.sparse_tensors:
            msg = f"its operation {node.op_type} holds a program of its own"
            raise ValueError(msg)
        for tensor in (attribute.t, *attribute.tensors):
            _check_tensor(tensor)


def _check_tensor(tensor: "onnx.TensorProto") -> None:
    if tensor.external_data or tensor.data_location:
        msg = "its numbers lie in another file"
        raise ValueError(msg)


def _check_memory(model: "onnx.ModelProto") -> None:
    """Refuse a network whose steps grow beyond bounds, or cannot be foreseen."""
    import onnx  # noqa: PLC0415 - has been imported by now

    del model.graph.value_info[:]  # the file's own words: they could be lies
    try:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
        inferred = onnx.shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except (onnx.shape_inference.InferenceError, ValueError, IndexError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        msg = f"it contradicts itself: {reason[:100]}"
        raise ValueError(msg) from error
    sizes = {value.name: _size(value) for value in inferred.graph.value_info}
    sizes |= {value.name: _size(value) for value in inferred.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if not 0 < sizes.get(name, 0) <= _MOST_VALUES:
                msg = f"the memory that its operation {node.op_type} needs is unbounded"
                raise ValueError(msg)


def _size(value: "onnx.ValueInfoProto") -> int:
    """Return how many values there are; 0 if that is unknown."""
    shape = value.type.tensor_type.shape
    return math.prod(dim.dim_value for dim in shape.dim)
