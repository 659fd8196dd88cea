"""The script that puts a network into the package."""

import importlib.util
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from lungcli.model.info import load_info
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.nn.model_file import load_network

SCRIPT = Path(__file__).parents[3] / "tools" / "bundle.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("bundle", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "NUM_PHANTOMS", 3)
    monkeypatch.setattr(module, "PHANTOM_SIZE", 160)
    # a network of eight filters is less sure of itself than a real one
    monkeypatch.setattr(module, "LOWEST_AGREEMENT", 0.99)
    return module


def invoke(script, *arguments, status=0):
    import typer

    app = typer.Typer()
    app.command()(script.bundle)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_the_same_network_in_half_the_bytes(script, run, tmp_path):
    text = invoke(script, run, "small", "--models", tmp_path, "--threshold", 0.4)
    assert "3 phantoms: lowest Dice against the run" in text
    written = tmp_path / "small"
    assert sorted(path.name for path in written.iterdir()) == [
        "best.weights.h5",
        "model.json",
        "model.onnx",
    ]
    info, before = load_info(written), load_info(run)
    assert (info.network, info.data) == (before.network, before.data)
    assert (info.threshold, info.license) == (0.4, "CC-BY-NC-SA-4.0")
    for new, old in zip(weights(written), weights(run), strict=True):
        assert new.dtype == np.float32
        np.testing.assert_allclose(new, old, rtol=1e-3, atol=1e-6)
        if new.ndim == 1:
            np.testing.assert_array_equal(new, old)


def test_the_onnx_network_is_half_as_large_and_names_its_weights(script, run, tmp_path):
    invoke(script, run, "--models", tmp_path)
    written = tmp_path / "lungs" / "model.onnx"
    assert written.stat().st_size < 0.65 * (run / "model.onnx").stat().st_size
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1), np.uint8)
    found, expected = (
        OnnxPredictor.load(folder).probabilities(images)
        for folder in (written.parent, run)
    )
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_kernels_are_half_and_vectors_single(script, run, tmp_path):
    script.halve(run / "best.weights.h5", tmp_path / "half.h5")
    kinds = set()
    with h5py.File(tmp_path / "half.h5") as file:
        file.visititems(
            lambda _, item: (
                kinds.add((item.ndim > 1, item.dtype.name))
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    assert kinds == {(True, "float16"), (False, "float32")}


def test_no_path_of_this_machine_is_in_it(script, run, tmp_path):
    invoke(script, run, "--models", tmp_path)
    text = (tmp_path / "lungs" / "model.json").read_text()
    assert json.loads(text)["initial"] is None
    for place in (str(run.parent), str(tmp_path), str(Path.home())):
        assert place not in text


def test_a_network_that_half_precision_changes_is_refused(
    script, run, tmp_path, monkeypatch
):
    (tmp_path / "lungs").mkdir()
    (tmp_path / "lungs" / "old").touch()
    monkeypatch.setattr(script, "LOWEST_AGREEMENT", 1.1)
    text = invoke(script, run, "--models", tmp_path, status=1)
    assert f"changes the labels that {run / 'best.weights.h5'} gives" in text
    assert "choose another run" in text
    assert [path.name for path in (tmp_path / "lungs").iterdir()] == ["old"]


def test_a_kernel_out_of_range_is_refused(script, tmp_path):
    with h5py.File(tmp_path / "full.h5", "w") as file:
        file["layers/conv/vars/0"] = np.full((2, 2), 1e5, np.float32)
    with pytest.raises(script.ModelError, match=r"full\.h5: .*conv/vars/0 do not fit"):
        script.halve(tmp_path / "full.h5", tmp_path / "half.h5")


def test_no_run(script, tmp_path):
    assert "no model in" in invoke(script, tmp_path, "--models", tmp_path, status=1)


def weights(folder):
    return load_network(folder, load_info(folder), dtype="float32").get_weights()
