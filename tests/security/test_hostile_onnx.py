"""Crafted ONNX files: refused before onnxruntime computes a thing."""

import numpy as np
import pytest
from networks import SIZE, between, external, loop, network, save, scales, tensor
from onnx import TensorProto, helper

from lungcli.errors import ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import ONNX, ModelInfo, save_info
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.model.onnx_session import open_session


def node(operation, *names, domain=None, **attributes):
    *inputs, output = names
    return helper.make_node(operation, inputs, [output], domain=domain, **attributes)


def resized():
    big = node("Resize", "first", "", "scales", "large")
    small = node("MaxPool", "large", "second", kernel_shape=[1, 1], strides=[999, 999])
    return network(between(big, small), [scales(1, 1, 999, 999)])


def with_function():
    model = network()
    model.functions.add().name = "anything"
    return model


def with_two_inputs():
    model = network()
    model.graph.input.append(helper.make_tensor_value_info("more", 1, [1]))
    return model


def unknown_shape():
    """The image says how large the next step is."""
    steps = between(
        node("Reshape", "first", "line", "pixels"),
        node("Slice", "pixels", "start", "end", "four"),
        node("Cast", "four", "shape", to=TensorProto.INT64),
        node("Reshape", "first", "shape", "second"),
    )
    numbers = {"line": [-1], "start": [0], "end": [4]}
    return network(steps, [tensor(key, np.array(n)) for key, n in numbers.items()])


def lying():
    """Names a small shape for what is large."""
    model = resized()
    model.graph.value_info.append(
        helper.make_tensor_value_info("large", TensorProto.FLOAT, [1, 1, SIZE, SIZE])
    )
    return model


@pytest.fixture
def attack(tmp_path):
    (tmp_path / "secret").write_bytes(b"s" * 64)
    true = tensor("true", np.array(True))
    one = tensor("one", np.array([1], np.float32))
    hidden = helper.make_node("Constant", [], ["kernel2"], value=tensor("c", [1.0]))
    hidden.attribute[0].t.data_location = TensorProto.EXTERNAL
    return {
        "another file": lambda: external(network(), "secret"),
        "a file above": lambda: external(network(), "../../../../etc/passwd"),
        "an absolute path": lambda: external(network(), "/etc/passwd"),
        "a constant in a file": lambda: network([*network().graph.node, hidden]),
        "a loop without end": lambda: network(between(loop()), [true, one]),
        "lots": lambda: network(between(node("RandomNormalLike", "first", "second"))),
        "a custom domain": lambda: network(
            between(node("Relu", "first", "second", domain="evil.example")),
            opsets=[helper.make_opsetid("evil.example", 1)],
        ),
        "onnxruntime's own domain": lambda: network(
            between(node("Gelu", "first", "second", domain="com.microsoft")),
            opsets=[helper.make_opsetid("com.microsoft", 1)],
        ),
        "a constant of any size": lambda: network(
            between(node("ConstantOfShape", "shape", "second")),
            [tensor("shape", np.array([1, 1, 2**20, 2**20]))],
        ),
        "memory": resized,
        "memory, with lies": lying,
        "an unknown shape": unknown_shape,
        "functions": with_function,
        "two inputs": with_two_inputs,
        "no network": lambda: b"\x80\x04\x95 pickled, say",
        "nothing": lambda: b"",
        "other shapes": lambda: network(size=SIZE * 2),
    }


ATTACKS = (
    ("another file", "its numbers lie in another file"),
    ("a file above", "its numbers lie in another file"),
    ("an absolute path", "its numbers lie in another file"),
    ("a constant in a file", "its numbers lie in another file"),
    ("a loop without end", "its operation 'Loop' is none of a plain network's"),
    ("lots", "its operation 'RandomNormalLike' is none"),
    ("a custom domain", "its operation 'evil.example.Relu' is none"),
    ("onnxruntime's own domain", "its operation 'com.microsoft.Gelu' is none"),
    ("a constant of any size", "its operation 'ConstantOfShape' is none"),
    ("memory", "the memory that its operation Resize needs is unbounded"),
    ("memory, with lies", "the memory that its operation Resize needs is unbounded"),
    ("an unknown shape", "the memory that its operation Reshape needs is unbounded"),
    ("functions", "it has parts that no network of lungcli has"),
    ("two inputs", "it does not map one image to one result"),
    ("no network", "it is no ONNX file"),
    ("nothing", "it does not map one image to one result"),
    ("other shapes", "does not fit its model.json: shapes"),
)


@pytest.mark.parametrize(("name", "reason"), ATTACKS)
def test_is_refused_by_name(attack, tmp_path, name, reason):
    info = ModelInfo(network=NetworkConfig(size=SIZE), convention="unknown")
    save_info(tmp_path, info)
    save(attack[name](), tmp_path / ONNX)
    with pytest.raises(ModelError, match=reason) as refusal:
        OnnxPredictor.load(tmp_path)
    assert str(tmp_path / ONNX) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_every_attack_is_tried(attack):
    assert {name for name, _ in ATTACKS} == set(attack)


def test_an_honest_network_is_taken(tmp_path):
    session = open_session(save(network(), tmp_path / ONNX), threads=1)
    image = np.full((1, SIZE, SIZE, 1), 0.5, np.float32)
    (probabilities,) = session.run(None, {"image": image})
    np.testing.assert_allclose(probabilities[0, 0, 0], [0.952574, 0.047426], atol=1e-5)


def test_a_file_that_is_also_in_the_format_of_onnxruntime(tmp_path):
    """Bytes 5 to 8 make it one for onnxruntime, which would run another network."""
    model = network()
    model.producer_name = "..ORTM"
    content = model.SerializeToString()
    start = content.index(b"\x12\x06..ORTM")
    polyglot = content[start : start + 8] + content[:start] + content[start + 8 :]
    assert polyglot[4:8] == b"ORTM"
    session = open_session(save(polyglot, tmp_path / ONNX), threads=1)
    assert session.get_outputs()[0].name == "probabilities"


def test_a_file_of_more_than_2_gib_is_not_read(tmp_path):
    path = tmp_path / ONNX
    with path.open("wb") as file:
        file.truncate(2**33)  # takes no room on disk
    with pytest.raises(ModelError, match="larger than 2 GiB"):
        open_session(path, threads=1)
