"""Crafted models on the command line: one sentence, exit status 1."""

import json
import sys
import zipfile

import numpy as np
import pytest
from networks import between, external, loop, network, save, tensor
from PIL import Image

from lungcli.cli.app import main
from lungcli.model.info import MODEL_JSON, ONNX
from lungcli.phantom import draw_phantom


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run main() and return the one line of its error."""

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["lungcli", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        return line

    return run


@pytest.fixture
def chest(tmp_path):
    Image.fromarray(draw_phantom(9, 96).image).save(tmp_path / "chest.png")
    return tmp_path / "chest.png"


def keras_archive(model):
    """As Keras saves a whole network, a Lambda layer with code in it."""
    (model / MODEL_JSON).unlink()
    code = {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}
    layer = {"class_name": "Lambda", "config": {"function": code}}
    with zipfile.ZipFile(model / "model.keras", "w") as file:
        file.writestr("config.json", json.dumps({"config": {"layers": [layer]}}))


def endless_onnx(model):
    numbers = [tensor("true", np.array(True)), tensor("one", np.float32([1]))]
    save(network(between(loop()), numbers), model / ONNX)


def greedy_onnx(model):
    save(external(network(), "../../../../etc/passwd"), model / ONNX)


def pickled_onnx(model):
    (model / ONNX).write_bytes(b"\x80\x04\x8c\x02os\x8c\x06system\x93.")


def greedy_json(model):
    document = json.loads((model / MODEL_JSON).read_text())
    document["network"] |= {"size": 2**40, "filters": 2**40}
    (model / MODEL_JSON).write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (keras_archive, "no model in model (model.json is missing)"),
        (endless_onnx, "its operation 'Loop' is none of a plain network's"),
        (greedy_onnx, "its numbers lie in another file"),
        (pickled_onnx, "it is no ONNX file"),
        (greedy_json, "size must be at most 4"),
    ],
)
def test_is_refused_in_one_sentence(chest, make_model, refused, attack, reason):
    model = make_model(chest.with_name("model"))
    attack(model)
    line = refused("predict", chest, "--model", "model", "--engine", "onnx")
    assert reason in line
    assert not list(chest.parent.glob("masks/*.png"))


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.npz", "model.pkl"])
def test_a_file_of_another_tool_is_not_even_opened(chest, refused, name):
    chest.with_name(name).write_bytes(b"\x80\x04\x8c\x02os\x8c\x06system\x93.")
    line = refused("predict", chest, "--model", name)
    assert f"no trained model in {name}" in line
