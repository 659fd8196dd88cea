"""A GPU that lies idle is said in one line, on machines that are pretended."""

import json
from contextlib import nullcontext

import pytest
from invoking import invoke
from PIL import Image

from lungcli.model.onnx_session import load_onnxruntime
from lungcli.nn import hardware
from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting import predict as workflow
from lungcli.workflows.predicting import workers
from lungcli.workflows.predicting.workers import in_threads

TINY = ["--arch", "unet", "--size", 32, "--filters", 4, "--depth", 1, "--epochs", 1]
KERAS = "TensorFlow does not see the GPU of this machine (NVIDIA L4)"
ONNX = "onnxruntime does not see the GPU of this machine (NVIDIA L4)"


@pytest.fixture
def gpu(driver, monkeypatch):
    """An NVIDIA L4 that neither Keras nor onnxruntime sees."""
    monkeypatch.setattr(hardware, "accelerators", lambda: ())
    monkeypatch.setattr(
        load_onnxruntime(), "get_available_providers", lambda: ["CPUExecutionProvider"]
    )
    driver("NVIDIA L4")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A current folder for all that is written."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def chest(here):
    """An X-ray in it."""
    Image.fromarray(draw_phantom(3, 160).image).save(here / "chest.png")
    return "chest.png"


def notes(text):
    return [line for line in text.splitlines() if "does not see" in line]


@pytest.mark.usefixtures("gpu", "unexported")
def test_train(prepared):
    done = invoke("train", "--data", prepared, "--json", *TINY)
    (line,) = notes(done.stderr)
    assert line.startswith(f"note: {KERAS}")
    assert "pip install 'tensorflow[and-cuda]==" in line
    assert json.loads(done.stdout)["epochs"] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("gpu", "unexported")
def test_train_with_folds(prepared):
    done = invoke("train", "--data", prepared, "--folds", 2, *TINY)
    assert len(notes(done.output)) == 1


@pytest.mark.usefixtures("gpu")
def test_predict(chest):
    done = invoke("predict", chest, "--json")
    (line,) = notes(done.stderr)
    assert line.startswith(f"note: {ONNX}")
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in line
    assert json.loads(done.stdout)["counts"]["ok"] == 1


@pytest.mark.usefixtures("gpu")
def test_predict_with_keras(chest):
    (line,) = notes(invoke("predict", chest, "--engine", "keras").output)
    assert line.startswith(f"note: {KERAS}")


@pytest.mark.usefixtures("gpu")
def test_workers_of_a_cluster_use_no_gpu(chest, monkeypatch):
    def in_this_process(address, plan):
        return in_threads(plan.load(threads=1), 1)

    monkeypatch.setattr(workers, "on_cluster", in_this_process)
    monkeypatch.setattr(workflow, "connected", nullcontext)
    assert notes(invoke("predict", chest, "--cluster", "local").output) == []


@pytest.mark.usefixtures("gpu")
def test_info():
    done = invoke("info", "--json")
    document = json.loads(done.stdout)
    assert document["machine"]["nvidia_gpus"] == ["NVIDIA L4"]
    assert document["keras"]["unseen_gpu"].startswith(KERAS)
    assert document["onnxruntime"]["unseen_gpu"].startswith(ONNX)
    assert done.stderr == ""
    table = invoke("info").stdout
    assert table.count("unseen gpu") == table.count("Run:") == 2


@pytest.mark.usefixtures("unexported")
@pytest.mark.parametrize("visible", [None, "-1"])
def test_nothing_is_said(chest, driver, prepared, monkeypatch, visible):
    driver(*["NVIDIA L4"] * (visible is not None))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    commands = (
        ["train", "--data", prepared, *TINY],
        ["predict", chest],
        ["info"],
        ["info", "--json"],
    )
    for command in commands:
        said = invoke(*command).output
        assert notes(said) == []
    document = json.loads(said)
    assert document["keras"]["unseen_gpu"] is None
    assert document["onnxruntime"]["unseen_gpu"] is None
