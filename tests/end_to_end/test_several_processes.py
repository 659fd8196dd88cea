"""Two processes train one run over loopback, as two machines do; needs JAX."""

import importlib.util
import os
import socket
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed"
    ),
]


@pytest.fixture
def together(tmp_path):
    """Return a function that starts a command twice and waits for both."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"

    def start(index, arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "lungcli", *map(str, arguments)],
            cwd=tmp_path,
            env={
                **os.environ,
                "KERAS_BACKEND": "jax",
                "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
                "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
                "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
                "KERAS_DISTRIBUTION_PROCESS_ID": f"{index}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(*arguments):
        both = [start(index, arguments) for index in range(2)]
        ends = [process.communicate(timeout=600) for process in both]
        return [(p.returncode, err) for p, (_, err) in zip(both, ends, strict=True)]

    return run


def test_one_run_that_predict_takes(prepared, together, tmp_path):
    train = [
        *["train", "--data", prepared, "--run", "joint", "--devices", "all"],
        *["--size", "32", "--depth", "1", "--filters", "4", "--arch", "unet"],
        *["--epochs", "1", "--batch-size", "4"],
    ]
    (first, said), (second, other_said) = together(*train)
    assert (first, second) == (0, 0), said + other_said
    assert "process 0 of 2: it writes the run" in said
    assert "process 1 of 2: it leaves nothing" in other_said

    (first, said), (second, other_said) = together(*train)
    assert (first, second) == (1, 1)
    assert "error: the run folder joint exists already" in said
    assert "error: another process of this training could not begin" in other_said

    predict = ["predict", str(prepared / "images"), "--model", "joint", "--out"]
    predicted = subprocess.run(
        [sys.executable, "-m", "lungcli", *predict, "masks"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert predicted.returncode == 0, predicted.stderr
    assert len(list((tmp_path / "masks").glob("*.png"))) == 12
