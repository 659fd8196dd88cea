"""Out of memory, by whatever name; half the batch, once."""

import dataclasses
import json
import signal

import numpy as np
import pytest
import tensorflow as tf

from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig
from lungcli.nn.memory import OutOfMemoryError, is_out_of_memory, memory_watched
from lungcli.workflows.training.events import TrainEvents
from lungcli.workflows.training.setup import TrainingSetup
from lungcli.workflows.training.train import resume, train

pytestmark = pytest.mark.usefixtures("unexported")

TINY = TrainConfig(
    size=32, filters=4, depth=1, epochs=3, batch_size=4, arch="unet", strength=0
)


class XlaRuntimeError(RuntimeError):
    """What JAX calls its errors."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((2**60,), np.dtype("u1")),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."),
    ],
)
def test_every_backend_is_understood(error):
    assert is_out_of_memory(error)
    with pytest.raises(OutOfMemoryError), memory_watched():
        raise error


def test_the_line_that_says_it_is_told():
    where = "Graph execution error:\n\nDetected at node conv defined at: ...\n"
    said = "OOM when allocating tensor with shape[8,64]"
    error = tf.errors.ResourceExhaustedError(None, None, f"{where}{said}\nand so on")
    with pytest.raises(OutOfMemoryError) as caught, memory_watched():
        raise error
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "error",
    [
        ValueError("out of memory"),
        RuntimeError("the loss is odd"),
        tf.errors.InvalidArgumentError(None, None, "shapes differ"),
    ],
)
def test_nothing_else_is(error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error)), memory_watched():
        raise error


class Device:
    """Has memory for batches of a few cases."""

    def __init__(self, room, *, from_epoch=1):
        self.room = room
        self.from_epoch = from_epoch
        self.plans = []
        self.epochs = []
        self.events = TrainEvents(
            on_plan=self.plans.append,
            on_step=self.step,
            on_epoch=lambda epoch, logs: self.epochs.append((epoch, dict(logs))),
        )

    def step(self, epoch, step, logs):
        del step, logs
        if epoch >= self.from_epoch and self.plans[-1].config.batch_size > self.room:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")


def read(run):
    return json.loads((run / "config.json").read_text())


def test_half_the_batch_from_the_last_epoch_on(prepared, tmp_path):
    device = Device(room=2, from_epoch=2)
    result = train(
        [prepared], TINY, run=tmp_path / "r", runs=tmp_path, events=device.events
    )
    assert [epoch for epoch, _ in device.epochs] == [1, 2, 3]
    assert len(result.history) == 3
    first, second = device.plans
    assert (first.config.batch_size, first.steps) == (4, 2)
    assert (second.config.batch_size, second.steps, second.first_epoch) == (2, 4, 2)
    (note,) = second.notes
    assert "OOM when allocating" in note
    assert "after epoch 1 with a batch size of 2, not 4" in note
    # the rate goes on from where the epoch stands, though an epoch has more steps
    rates = [logs["learning_rate"] for _, logs in device.epochs]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    written = read(tmp_path / "r")
    assert written["settings"]["batch_size"] == 2
    assert written["batch_size_halved_from"] == 4
    resume(tmp_path / "r", epochs=4, runs=tmp_path)
    assert read(tmp_path / "r")["settings"]["batch_size"] == 2
    assert read(tmp_path / "r")["batch_size_halved_from"] == 4


def test_ctrl_c_while_the_batch_is_halved_waits_for_the_new_trainer(
    prepared, tmp_path, monkeypatch
):
    make = TrainingSetup.new_trainer

    def interrupted(setup, state):
        if setup.config.batch_size < TINY.batch_size:
            signal.raise_signal(signal.SIGINT)
        return make(setup, state)

    monkeypatch.setattr(TrainingSetup, "new_trainer", interrupted)
    device = Device(room=2)
    result = train(
        [prepared], TINY, run=tmp_path / "r", runs=tmp_path, events=device.events
    )
    assert result.interrupted
    assert read(tmp_path / "r")["settings"]["batch_size"] == 2


def test_before_the_first_epoch_it_begins_again(prepared, tmp_path):
    device = Device(room=2)
    config = dataclasses.replace(TINY, epochs=1)
    train([prepared], config, run=tmp_path / "r", runs=tmp_path, events=device.events)
    assert [epoch for epoch, _ in device.epochs] == [1]


def test_the_second_time_is_an_error_that_can_be_resumed(prepared, tmp_path):
    device = Device(room=1, from_epoch=2)
    with pytest.raises(ConfigError, match=r"out of memory again .*--resume.*--size"):
        train([prepared], TINY, run=tmp_path / "r", runs=tmp_path, events=device.events)
    result = resume(tmp_path / "r", runs=tmp_path, events=Device(room=2).events)
    assert len(result.history) == 3


def test_half_of_one_is_nothing(prepared, tmp_path):
    config = dataclasses.replace(TINY, batch_size=1)
    device = Device(room=0)
    with pytest.raises(ConfigError, match=r"out of memory with 1 case a step .*--size"):
        train(
            [prepared], config, run=tmp_path / "r", runs=tmp_path, events=device.events
        )
