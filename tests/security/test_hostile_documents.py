"""Crafted JSON: wrong types, huge numbers, deep nesting, endless files."""

import json
import os

import pytest
from networks import SIZE, network, save

from lungcli.errors import ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import MODEL_JSON, ONNX, ModelInfo, load_info, save_info
from lungcli.model.runs import RunFolder, read_config
from lungcli.workflows.predicting.journal import Journal

HONEST = {
    "settings": {"epochs": 1},
    "data": [{"path": "prepared", "name": "phantoms"}],
    "division": {"final": False, "folds": 0, "fold": 0},
}

RECORD = {"name": "a.png", "seconds": 0.5}
LINE = {"stem": "a", "shown": "a", "status": "ok", "record": RECORD}
FILM = {
    "height": 2,
    "width": 3,
    "spacing_mm": [0.5, 0.25],
    "spacing_source": "PixelSpacing",
    "corrected": [],
    "doubts": ["odd"],
    "notes": [],
}


@pytest.fixture
def model(tmp_path):
    save_info(
        tmp_path, ModelInfo(network=NetworkConfig(size=SIZE), convention="unknown")
    )
    save(network(), tmp_path / ONNX)
    return tmp_path / MODEL_JSON


def changed(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "model format 2"),
        ({"format": [1] * 1000}, r"model format \[1, 1, 1"),
        ({"threshold": "0.5"}, "threshold must be a number, got '0.5'"),
        ({"threshold": True}, "threshold must be a number, got True"),
        ({"threshold": 10**400}, "threshold must be a number, got 1000"),
        ({"threshold": 2}, "threshold must lie between 0 and 1"),
        ({"convention": None}, "convention must be text, got None"),
        ({"network": []}, r"network must be an object, got \[\]"),
        ({"network": {"size": "64"}}, "network.size must be a whole number, got '64'"),
        ({"network": {"size": 64.5}}, "network.size must be a whole number, got 64.5"),
        ({"network": {"size": 10**9}}, "size must be at most 4096"),
        ({"network": {"arch": "os.system"}}, "arch must be one of stem-unet, unet"),
        ({"network": {"layers": ["Lambda"]}}, "network.layers is unknown"),
        ({"custom_objects": {}}, "custom_objects is unknown"),
        ({"data": {}}, r"data must be a list, got \{\}"),
        ({"data": [1]}, r"data\[\] must be an object, got 1"),
        ({"data": [{"name": "a"}]}, r"data\[\].fingerprint is missing"),
        ({"initial": 3}, "initial must be an object, got 3"),
        ({"license": ["CC0"]}, "license must be text"),
    ],
)
def test_model_json_is_refused_by_the_name_of_the_field(model, changes, reason):
    changed(model, **changes)
    with pytest.raises(ModelError, match=reason) as refusal:
        load_info(model.parent)
    assert str(refusal.value).startswith(f"cannot use {model} (")
    assert len(str(refusal.value)) < 600
    assert "\n" not in str(refusal.value)


TEXTS = {
    "no object": (b"[1]", "must be an object"),
    "NaN": (b'{"format": 1, "threshold": NaN}', "NaN is no JSON"),
    "infinity": (b'{"format": -Infinity}', "-Infinity is no JSON"),
    "deep": (b"[" * 500_000, "nested too deeply|Expecting value"),
    "digits": (b'{"format": ' + b"9" * 100_000 + b"}", "integer string conversion"),
    "no UTF-8": (b'{"format": "\xff"}', "decode"),
    "binary": (b"\x80\x04\x95\x00", "decode"),
    "empty": (b"", "Expecting value"),
    "torn": (b'{"format": 1, "thr', "Unterminated string"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_document_is_refused(model, name):
    text, reason = TEXTS[name]
    model.write_bytes(text)
    with pytest.raises(ModelError, match=reason):
        load_info(model.parent)
    (model.parent / "config.json").write_bytes(text)
    with pytest.raises(ModelError, match="cannot resume"):
        read_config(RunFolder(model.parent))


def test_a_file_without_end_is_not_read(model):
    with model.open("wb") as file:
        file.truncate(2**40)  # takes no room on disk
    with pytest.raises(ModelError, match="larger than 3"):
        load_info(model.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_not_waited_for(model):
    model.unlink()
    os.mkfifo(model)
    with pytest.raises(ModelError, match=r"model\.json is missing"):
        load_info(model.parent)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": [{"path": 5, "name": "a"}]}, r"data\[\].path must be text, got 5"),
        ({"data": "prepared"}, "data must be a list"),
        ({"settings": []}, "settings must be an object"),
        ({"division": {"folds": "3"}}, "division.folds must be a whole number"),
        ({"division": {"folds": -1}}, "folds must be at least 0"),
        ({"division": {"fold": 10**400, "folds": 10**400}}, "must be at most"),
        ({"pickle": "x"}, "pickle is unknown"),
    ],
)
def test_config_json_is_refused_by_the_name_of_the_field(tmp_path, changes, reason):
    run = RunFolder(tmp_path)
    run.config.write_text(json.dumps(HONEST | changes))
    with pytest.raises(ModelError, match=reason):
        read_config(run)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"[" * 500_000, id="deep"),
        pytest.param({"shown": 1}, id="number"),
        pytest.param({"status": "wonderful"}, id="status"),
        pytest.param({"outputs": {"a.png": "1"}}, id="text"),
        pytest.param({"record": []}, id="list"),
        pytest.param({"__class__": "x"}, id="unknown"),
        pytest.param({"record": {"seconds": 0.5}}, id="record without a name"),
        pytest.param({"record": RECORD | {"__class__": "x"}}, id="unknown in record"),
        pytest.param({"record": RECORD | {"height": 2}}, id="half a film"),
        pytest.param({"record": RECORD | FILM | {"doubts": 7}}, id="doubts"),
        pytest.param({"record": RECORD | FILM | {"spacing_mm": [1]}}, id="spacing"),
        pytest.param({"record": RECORD | {"rle": 5}}, id="table"),
    ],
)
def test_a_line_of_the_journal_that_is_none_counts_as_none(tmp_path, line):
    if isinstance(line, dict):
        line = json.dumps(LINE | line).encode()
    assert journal_of(tmp_path, line) == []


def test_an_honest_line_of_the_journal_counts(tmp_path):
    line = json.dumps(LINE | {"record": RECORD | FILM}).encode()
    (entry,) = journal_of(tmp_path, line)
    assert entry.to_document()["record"] == FILM | RECORD


def journal_of(folder, line):
    """The entries of a journal with this line."""
    path = folder / "predictions.jsonl"
    Journal.start(path, {}).close()
    with path.open("ab") as file:
        file.write(line + b"\n")
    with Journal.resume(path, {}) as journal:
        return list(journal.entries(["a"]))
