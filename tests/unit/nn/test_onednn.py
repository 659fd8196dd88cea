"""Which kernels TensorFlow computes with."""

import os
import platform
import subprocess
import sys

import pytest

from lungcli import nn

NAME = "TF_ENABLE_ONEDNN_OPTS"
STEP = """
import lungcli.nn, keras, numpy as np
network = keras.Sequential([keras.Input((16, 16, 8)), keras.layers.Conv2D(8, 3)])
network.compile(loss="mse", jit_compile=False)
network.train_on_batch(np.ones((2, 16, 16, 8)), np.ones((2, 14, 14, 8)))
"""


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.setenv(NAME, "")  # so that it is as before after the test
    monkeypatch.delenv(NAME)


@pytest.mark.parametrize(
    ("machine", "expected"), [("x86_64", "1"), ("AMD64", "1"), ("aarch64", None)]
)
@pytest.mark.usefixtures("unset")
def test_switched_on_where_it_is_mature(monkeypatch, machine, expected):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    nn._use_onednn()
    assert os.environ.get(NAME) == expected


def test_a_setting_is_heeded(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv(NAME, "0")
    nn._use_onednn()
    assert os.environ[NAME] == "0"


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="TensorFlow has oneDNN on Linux for x86",
)
@pytest.mark.parametrize("setting", [None, "0"])
def test_tensorflow_heeds_it(setting):
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",  # convolutions would run there
        "ONEDNN_VERBOSE": "1",
    }
    environment.pop(NAME, None)
    if setting is not None:
        environment[NAME] = setting
    done = subprocess.run(
        [sys.executable, "-c", STEP],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("convolution,brg" in done.stdout or "convolution,jit" in done.stdout) == (
        setting is None
    )
