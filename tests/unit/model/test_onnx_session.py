"""Which processor onnxruntime computes on, on pretended machines."""

import sys
from types import SimpleNamespace

import pytest

from lungcli.model import onnx_session
from lungcli.model.find import BUNDLED, bundled_models
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.model.onnx_session import load_onnxruntime, open_session, unseen_gpu

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
NETWORK = bundled_models()[BUNDLED] / "model.onnx"


@pytest.fixture
def build(monkeypatch):
    """Return a function that pretends a build of onnxruntime; it records its calls."""

    def pretend(*available, used):
        calls = []
        onnxruntime = load_onnxruntime()

        def new_session(network, options, *, providers):
            sys.stdout.write("*** EP Error ***")
            calls.append(providers)
            return SimpleNamespace(get_providers=lambda: list(used))

        def preload_dlls(**options):
            sys.stdout.write("Failed to load libcublas")
            calls.append(options)

        monkeypatch.setattr(
            onnxruntime, "get_available_providers", lambda: list(available)
        )
        monkeypatch.setattr(onnxruntime, "InferenceSession", new_session)
        monkeypatch.setattr(onnxruntime, "preload_dlls", preload_dlls)
        return calls

    return pretend


def test_cuda_of_pip_is_loaded_before_the_session(build, driver, capsys):
    driver("NVIDIA L4")
    calls = build("TensorrtExecutionProvider", CUDA, CPU, used=[CUDA, CPU])
    session = open_session(NETWORK, threads=1)
    assert calls == [{"msvc": False}, [CUDA, CPU]]
    assert unseen_gpu(session) is None
    assert capsys.readouterr().out == ""  # it may be a JSON document's


def test_a_build_without_cuda(build, driver):
    driver("NVIDIA L4")
    calls = build("AzureExecutionProvider", CPU, used=[CPU])
    note = unseen_gpu(open_session(NETWORK, threads=1))
    assert calls == [[CPU]]
    assert note.startswith(
        "onnxruntime does not see the GPU of this machine (NVIDIA L4)"
    )
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && " in note
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'. " in note


def test_cuda_that_does_not_load(build, driver):
    driver("NVIDIA L4")
    build(CUDA, CPU, used=[CPU])
    assert "(NVIDIA L4)" in unseen_gpu(open_session(NETWORK, threads=1))


def test_no_gpu(build, driver):
    driver()
    build(CPU, used=[CPU])
    assert unseen_gpu(open_session(NETWORK, threads=1)) is None


def test_the_real_onnxruntime(driver, monkeypatch):
    monkeypatch.setattr(onnx_session, "_PROVIDERS", (CPU,))
    predictor = OnnxPredictor.load(NETWORK.parent, threads=1)
    driver()
    assert predictor.unseen_gpu() is None
    driver("NVIDIA L4")
    assert "(NVIDIA L4)" in predictor.unseen_gpu()
