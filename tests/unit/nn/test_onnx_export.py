"""The exported network computes what Keras computes, and knows whose it is."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest

from lungcli.errors import ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import WEIGHTS, ModelInfo, fingerprint, save_info
from lungcli.model.onnx_predictor import OnnxPredictor, has_current_onnx
from lungcli.nn import onnx_export as module
from lungcli.nn.exporting import export_network
from lungcli.nn.model_file import save_weights
from lungcli.nn.networks import build_network
from lungcli.nn.onnx_export import export_onnx
from lungcli.nn.predictor import KerasPredictor

SIZE = 64


def write_model(folder, arch="stem-unet"):
    """Write a network whose batch normalization is not the identity."""
    network = build_network(NetworkConfig(arch=arch, size=SIZE, filters=4, depth=2))
    rng = np.random.default_rng(1)
    network.set_weights(
        [rng.normal(0.1, 0.3, w.shape) ** 2 + 0.05 for w in network.get_weights()]
    )
    config = NetworkConfig(arch=arch, size=SIZE, filters=4, depth=2)
    save_info(folder, ModelInfo(network=config, convention="heart-excluded"))
    save_weights(network, folder / WEIGHTS)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = write_model(tmp_path_factory.mktemp("exported"))
    export_onnx(folder)
    return folder


def images(count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, SIZE, SIZE, 1), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 3, 11])
def test_the_same_probabilities_as_keras(exported, count):
    expected = KerasPredictor.load(exported).probabilities(images(count))
    found = OnnxPredictor.load(exported).probabilities(images(count))
    assert found.dtype == np.float32
    assert expected.std() > 0.01  # a constant would agree with anything
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_the_classic_network_too(tmp_path):
    export_onnx(write_model(tmp_path, "unet"))
    expected = KerasPredictor.load(tmp_path).probabilities(images(2))
    found = OnnxPredictor.load(tmp_path).probabilities(images(2))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_names_and_metadata_are_for_other_programs(exported):
    model = onnx.load(exported / "model.onnx")
    onnx.checker.check_model(model)
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["probabilities"]
    known = {entry.key: entry.value for entry in model.metadata_props}
    assert known["weights_sha256"] == fingerprint(exported / "best.weights.h5")
    assert known["convention"] == "heart-excluded"
    assert known["threshold"] == "0.5"


def test_later_weights_make_the_file_out_of_date(exported, tmp_path):
    for name in ("model.json", "model.onnx"):
        (tmp_path / name).write_bytes((exported / name).read_bytes())
    assert has_current_onnx(tmp_path)  # alone, it is the model
    other = build_network(NetworkConfig(size=SIZE, filters=4, depth=2))
    save_weights(other, tmp_path / WEIGHTS)
    assert not has_current_onnx(tmp_path)
    with pytest.raises(ModelError, match="other weights than"):
        OnnxPredictor.load(tmp_path)


def test_a_network_of_another_size_is_refused(exported, tmp_path):
    (tmp_path / "model.onnx").write_bytes((exported / "model.onnx").read_bytes())
    config = NetworkConfig(size=2 * SIZE, filters=4, depth=2)
    save_info(tmp_path, ModelInfo(network=config, convention="heart-excluded"))
    with pytest.raises(ModelError, match=r"does not fit its model\.json"):
        OnnxPredictor.load(tmp_path)


def test_a_broken_file_is_refused(exported, tmp_path):
    (tmp_path / "model.json").write_bytes((exported / "model.json").read_bytes())
    assert not has_current_onnx(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"cannot use the network .*model\.onnx"):
        OnnxPredictor.load(tmp_path)


def test_what_computes_something_else_is_not_kept(tmp_path, monkeypatch):
    write_model(tmp_path)
    real = module._convert

    def convert(network, path):
        real(build_network(NetworkConfig(size=SIZE, filters=4, depth=2)), path)

    monkeypatch.setattr(module, "_convert", convert)
    with pytest.raises(ModelError, match="differs by"):
        export_onnx(tmp_path)
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.slow
def test_it_is_exported_under_jax_too(tmp_path):
    write_model(tmp_path)
    code = (
        "import sys; from pathlib import Path; "
        "from lungcli.nn.onnx_export import export_onnx; "
        "export_onnx(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env=environment)
    assert has_current_onnx(tmp_path)


def test_without_tensorflow_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module.keras.backend, "backend", lambda: "jax")
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # as if it were not there
    what = "goes through TensorFlow, which is not installed. Run: pip install"
    with pytest.raises(ModelError, match=what):
        export_onnx(tmp_path)


def test_eight_bits_without_images_are_a_mistake_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="images to calibrate with"):
        export_network(tmp_path, tmp_path / "a.onnx", to="onnx", precision="int8")
