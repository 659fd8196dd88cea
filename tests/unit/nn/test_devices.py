"""Two devices, and two processes, train what one device trains; most needs JAX."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from lungcli.errors import ConfigError
from lungcli.nn import distribution as module
from lungcli.nn.batches import Batches
from lungcli.nn.distribution import (
    ALONE,
    JointProcess,
    agree,
    count_devices,
    join_processes,
    spread_over,
    this_process,
)

PROGRAM = Path(__file__).with_name("distributed_training.py")
QUICK_TO_COMPILE = "--xla_backend_optimization_level=0"
VARIABLES = (
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)


@pytest.fixture
def pretend(monkeypatch):
    """Return a function that pretends a backend with devices and processes."""

    def set_up(*, backend="jax", devices=1, processes=1):
        names = tuple(f"gpu:{index}" for index in range(devices))
        monkeypatch.setattr(keras.backend, "backend", lambda: backend)
        monkeypatch.setattr(module, "list_devices", lambda: names)
        monkeypatch.setattr(module, "this_process", lambda: JointProcess(0, processes))

    return set_up


def start(folder, devices, flags="", **environment):
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), devices],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_COMPILATION_CACHE_DIR": "",
            "XLA_FLAGS": f"{QUICK_TO_COMPILE} {flags}",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def seen_by(process):
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def check_same(one, other):
    """Compare two trainings step by step; the batch norms saw the same batches."""
    assert len(one["losses"]) == 2 * 3
    np.testing.assert_allclose(other["losses"], one["losses"], atol=1e-4)
    np.testing.assert_allclose(other["norms"], one["norms"], atol=1e-4)
    np.testing.assert_allclose(other["weights"], one["weights"], atol=1e-3)
    for first, second in zip(one["epochs"], other["epochs"], strict=True):
        assert second == pytest.approx(first, abs=1e-4)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """The same training on one device and on two of one process."""
    folder = tmp_path_factory.mktemp("devices")
    two = "--xla_force_host_platform_device_count=2"
    return folder, seen_by(start(folder, "1,2", two))


@needs_jax
@pytest.mark.slow
def test_two_devices_train_like_one(trainings):
    _, (one, two) = trainings
    check_same(one, two)
    assert one["losses"][0] > one["losses"][-1]


@needs_jax
@pytest.mark.slow
def test_the_state_of_two_devices_is_that_of_one(trainings):
    folder, _ = trainings
    one, two = (
        sorted(path.name for path in (folder / name).rglob("*") if path.is_file())
        for name in ("0-1", "0-2")
    )
    assert one == two
    arrays = [
        dict(np.load(folder / name / "state" / "epoch-0002.npz"))
        for name in ("0-1", "0-2")
    ]
    assert arrays[0].keys() == arrays[1].keys()
    for name, array in arrays[0].items():
        np.testing.assert_allclose(arrays[1][name], array, atol=1e-3)


@needs_jax
@pytest.mark.slow
def test_two_processes_train_like_one_device(trainings, tmp_path):
    port = free_port()
    processes = [
        start(
            tmp_path,
            "2",
            KERAS_DISTRIBUTION_JOB_ADDRESSES=f"127.0.0.1:{port}",
            KERAS_DISTRIBUTION_NUM_PROCESSES="2",
            KERAS_DISTRIBUTION_PROCESS_ID=f"{index}",
        )
        for index in range(2)
    ]
    first, second = (seen_by(process)[0] for process in processes)
    assert first == second
    check_same(trainings[1][0], first)


def test_each_process_yields_its_part_of_each_batch():
    images = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1)
    whole, *parts = (
        Batches(images, images, batch_size=4, shuffle=True, process=where)
        for where in (ALONE, JointProcess(0, 2), JointProcess(1, 2))
    )
    for index in range(2):
        joined = np.concatenate([part[index][0]["image"] for part in parts])
        np.testing.assert_array_equal(joined, whole[index][0]["image"])
    assert len(parts[1]) == len(whole) == 2
    assert parts[1].images_per_item == 4


@pytest.mark.parametrize(
    ("wanted", "count"), [(1, 1), (2, 2), (4, 4), pytest.param("all", 4, id="all")]
)
def test_number_of_devices(pretend, wanted, count):
    pretend(devices=4)
    assert count_devices(wanted, batch_size=8) == count


@pytest.mark.parametrize(
    ("wanted", "batch_size", "message"),
    [
        pytest.param(5, 10, "5 devices were asked for, and jax finds 4", id="more"),
        pytest.param(4, 6, "--batch-size 4, or fewer --devices", id="not-divisible"),
        pytest.param("all", 3, "--batch-size 4, or fewer --devices", id="too-small"),
    ],
)
def test_devices_that_cannot_be_used(pretend, wanted, batch_size, message):
    pretend(devices=4)
    with pytest.raises(ConfigError, match=message):
        count_devices(wanted, batch_size=batch_size)


def test_tensorflow_trains_on_one_device(pretend):
    pretend(backend="tensorflow", devices=2)
    assert count_devices(1, batch_size=8) == 1
    for wanted in (2, "all"):
        with pytest.raises(ConfigError, match=r"needs JAX.*KERAS_BACKEND=jax"):
            count_devices(wanted, batch_size=8)


def test_several_processes_use_all_of_their_devices(pretend):
    pretend(devices=2, processes=2)
    assert count_devices("all", batch_size=8) == 2
    with pytest.raises(ConfigError, match="Use --devices all"):
        count_devices(1, batch_size=8)


def test_alone_without_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert join_processes() == this_process() == ALONE
    assert agree({"a": 0.1}) == {"a": 0.1}


def test_processes_on_tensorflow(monkeypatch, pretend):
    pretend(backend="tensorflow")
    monkeypatch.setenv(VARIABLES[0], "127.0.0.1:1")
    with pytest.raises(ConfigError, match="several processes needs JAX"):
        join_processes()


def test_half_of_the_variables(monkeypatch, pretend):
    pretend()
    monkeypatch.setenv(VARIABLES[0], "127.0.0.1:1")
    monkeypatch.delenv(VARIABLES[1], raising=False)
    monkeypatch.setenv(VARIABLES[2], "0")
    with pytest.raises(ConfigError, match=f"{VARIABLES[1]} not. Set all three"):
        join_processes()


def test_one_device_needs_no_distribution():
    with spread_over(1):
        assert keras.distribution.distribution() is None
