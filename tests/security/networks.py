"""Small networks in ONNX, honest and crafted."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIZE = 32


def tensor(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def honest_nodes():
    """One convolution from image to probabilities, channels last."""
    return [
        helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["both"]),
        helper.make_node("Transpose", ["both"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Sigmoid", ["last"], ["probabilities"]),
    ]


def kernel():
    return tensor("kernel", np.array([6, -6], np.float32).reshape(2, 1, 1, 1))


def network(nodes=None, initializers=(), opsets=(), size=SIZE):
    """Return a model from `(batch, size, size, 1)` to `(batch, size, size, 2)`."""
    image, probabilities = (
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["batch", size, size, channels]
        )
        for name, channels in (("image", 1), ("probabilities", 2))
    )
    graph = helper.make_graph(
        honest_nodes() if nodes is None else nodes,
        "lungs",
        [image],
        [probabilities],
        [kernel(), *initializers],
    )
    versions = [helper.make_opsetid("", 15), *opsets]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def between(*nodes):
    """Return the honest network's nodes with others between first and second.

    The others lead from `first` to `second`.
    """
    start, convolution, *end = honest_nodes()
    convolution.input[0] = "second"
    return [start, *nodes, convolution, *end]


def external(model, location, length=64):
    """Let the numbers of a network lie in another file."""
    kernel = model.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", length)):
        entry = kernel.external_data.add()
        entry.key, entry.value = key, str(value)
    return model


def loop():
    """Return a node that adds 1 to its input for ever."""
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, None)
    again = helper.make_tensor_value_info("again", TensorProto.BOOL, [])
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    stay = helper.make_tensor_value_info("stay", TensorProto.BOOL, [])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again"], ["stay"]),
            helper.make_node("Add", ["value", "one"], ["out"]),
        ],
        "body",
        [count, again, value],
        [stay, out],
    )
    return helper.make_node("Loop", ["", "true", "first"], ["second"], body=body)


def save(model, path):
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def scales(*values):
    return tensor("scales", np.array(values, np.float32))
