"""`lungcli export` as a user types it, and what it leaves."""

import json

import pytest
from invoking import fails, invoke

from lungcli.model import find as models
from lungcli.workflows.exporting import export as module
from lungcli.workflows.exporting import trial_xrays


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder, and few small phantoms to compare on."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(trial_xrays, "NUM_PHANTOMS", 2)
    monkeypatch.setattr(trial_xrays, "NUM_CALIBRATION", 2)
    monkeypatch.setattr(trial_xrays, "_PHANTOM_SIZE", 160)
    return folder


@pytest.mark.slow
def test_of_the_latest_run_into_its_folder(here, run):
    (here / "runs").mkdir()
    copy = here / "runs" / "mine"
    copy.mkdir()
    for name in ("model.json", "best.weights.h5"):
        (copy / name).write_bytes((run / name).read_bytes())
    (here / "runs" / "latest").symlink_to("mine")
    text = invoke("export", "--to", "onnx").stdout
    assert "Dice against the original: lowest 1.0000, mean 1.0000 (2 X-rays" in text
    written = {"lungs-float32.onnx", "lungs-float32.onnx.json"}
    assert {path.name for path in copy.iterdir()} == {
        *written,
        "best.weights.h5",
        "model.json",
    }
    assert written <= {line.rpartition("/")[2] for line in text.splitlines()}


@pytest.mark.slow
def test_json_and_force(here, run, capfd, monkeypatch):
    monkeypatch.setattr(module, "REQUIRED_DICE", {"int8": 0.5})  # an unsure network
    command = ("export", "--to", "onnx", "--precision", "int8", "--model", run)
    out = here / "a.onnx"
    document = json.loads(invoke(*command, "--out", out, "--json").stdout)
    assert document["paths"] == [str(out), f"{out}.json"]
    assert document["bytes"] == out.stat().st_size
    assert document["parity"]["calibration"] == {"kind": "phantoms", "count": 2}
    assert not capfd.readouterr().out  # onnxruntime tells of its progress there
    message = fails(capfd, monkeypatch, *command, "--out", out)
    assert "exists. Replace it with --force" in message
    invoke(*command, "--out", out, "--force")


class TestErrors:
    def test_eight_bits_in_tensorflow(self, here, capsys, monkeypatch):
        words = ("export", "--to", "saved-model", "--precision", "int8")
        message = fails(capsys, monkeypatch, *words)
        assert "Take --to onnx or --to litert for int8" in message

    def test_no_such_model(self, here, capsys, monkeypatch):
        message = fails(capsys, monkeypatch, "export", "--to", "onnx", "-m", "gone")
        assert "no trained model in gone. Run 'lungcli train' first" in message

    def test_no_such_xray(self, here, capsys, monkeypatch):
        words = ("export", "--to", "onnx", "-m", "bundled", "--data", "gone.png")
        assert "gone.png" in fails(capsys, monkeypatch, *words)
        assert not list(here.iterdir())

    def test_a_name_of_another_kind(self, here, capsys, monkeypatch):
        words = ("export", "--to", "litert", "-m", "bundled", "-o", "chest.png")
        message = fails(capsys, monkeypatch, *words)
        assert "chest.png does not end in .tflite. Choose another" in message

    def test_an_installation_without_network(self, here, capsys, monkeypatch):
        monkeypatch.setattr(models, "MODELS", here / "none")
        message = fails(capsys, monkeypatch, "export", "--to", "onnx")
        assert "reinstall lungcli, or name a run with --model" in message

    def test_no_format(self, here):
        assert "--to" in invoke("export", status=2).stderr
