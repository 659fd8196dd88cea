"""`train --devices`, as far as one device goes."""

import json

import pytest
from invoking import fails, invoke

TRAIN = ("--size", "32", "--depth", "1", "--filters", "4", "--arch", "unet")


@pytest.fixture
def train(prepared, tmp_path):
    """Return the arguments of a short training, and its run folder."""
    run = tmp_path / "run"
    command = ["train", "--data", prepared, "--run", run, *TRAIN, "--batch-size", "4"]
    return command, run


def test_all_of_one_device_are_one(train, tmp_path):
    command, run = train
    config = tmp_path / "train.toml"
    config.write_text('devices = "all"\n')
    invoke(*command, "--epochs", "1", "--config", config)
    assert json.loads((run / "config.json").read_text())["settings"]["devices"] == 1
    invoke("train", "--resume", "--run", run, "--epochs", "2", "--devices", "1")


def test_more_than_there_are(capsys, monkeypatch, train):
    command, run = train
    line = fails(capsys, monkeypatch, *command, "--devices", "2")
    assert "needs JAX: on TensorFlow lungcli trains on one device" in line
    assert "leave --devices at 1" in line
    assert not run.exists()


@pytest.mark.parametrize("devices", ["0", "-1", "some", "1.5", ""])
def test_no_number_of_devices(capsys, monkeypatch, train, devices):
    command, _ = train
    line = fails(capsys, monkeypatch, *command, "--devices", devices)
    assert "devices must be" in line
