"""`lungcli info` as a user types it, in process and in subprocesses."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import pytest
from typer.testing import CliRunner

from lungcli.cli.app import app


def lungcli(*arguments, **environment):
    """Run the command without what these tests themselves have set."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP_")}
    return subprocess.run(
        [sys.executable, "-m", "lungcli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**inherited, **environment},
    )


def test_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["info"])
    assert result.exit_code == 0, result.output
    for text in ("tensorflow", "cores", keras.backend.backend(), "precision auto"):
        assert text in result.stdout


def test_json_is_all_that_stdout_holds(tmp_path):
    done = lungcli("info", "--json", OMP_NUM_THREADS="2")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["environment"]["OMP_NUM_THREADS"] == "2"
    assert "TF_CPP_MIN_LOG_LEVEL" not in document["environment"]
    assert document["keras"]["devices"]
    assert document["problem"] is None


def test_a_backend_that_does_not_exist():
    done = lungcli("info", "--json", KERAS_BACKEND="abacus")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: KERAS_BACKEND is 'abacus'")
    document = json.loads(done.stdout)  # all the rest is there nevertheless
    assert document["problem"] == line.removeprefix("error: ")
    assert document["versions"]["python"]


def test_a_backend_that_is_not_installed(tmp_path):
    # a package of that name that cannot be imported, wherever the real one is
    (tmp_path / "jax.py").write_text("raise ImportError('No module named jax')\n")
    done = lungcli(
        "info",
        KERAS_BACKEND="jax",
        PYTHONPATH=str(tmp_path),
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the Keras backend jax cannot be loaded")
    assert "KERAS_BACKEND to tensorflow" in line
    assert "keras" in done.stdout


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
def test_a_backend_without_a_device(tmp_path):
    done = lungcli(
        "info",
        "--json",
        KERAS_BACKEND="jax",
        JAX_PLATFORMS="nonsense",
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the Keras backend jax finds no device")
    document = json.loads(done.stdout)
    assert document["problem"] == line.removeprefix("error: ")
    assert document["models"]["folder"]
    cache = document["caches"]["jax_compilation"]
    assert cache == str(tmp_path / "lungcli" / "jax")
