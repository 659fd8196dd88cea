"""What signals and terminals do to the real command."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

LUNGCLI = [sys.executable, "-m", "lungcli"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_stopped_training_can_be_resumed(tmp_path, prepared, number, status):
    size = ["--size", "64", "--filters", "4", "--depth", "2", "--batch-size", "4"]
    command = [*LUNGCLI, "train", "--data", str(prepared), "--epochs", "500", *size]
    running = subprocess.Popen(
        [*command, "--run", "r"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    state = tmp_path / "r" / "state" / "state.json"
    while not state.exists() and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(number)
    _, stderr = running.communicate()
    assert running.returncode == status, stderr
    assert "Traceback" not in stderr
    for name in ("best.weights.h5", "history.csv", "curves.png", "evolution.gif"):
        assert (tmp_path / "r" / name).is_file()
    assert not list((tmp_path / "r").rglob(".part-*"))
    done = len((tmp_path / "r" / "history.csv").read_text().splitlines()) - 1
    again = [*LUNGCLI, "train", "--resume", "--run", "r", "--epochs", str(done + 1)]
    subprocess.run(again, cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.slow
def test_bars_on_a_terminal_only(tmp_path, prepared, run):
    """On a terminal there is a bar with count, rate and time left; in a pipe none."""
    command = [*LUNGCLI, "evaluate", "--data", str(prepared), "--model", str(run)]
    command += ["--split", "all", "--out", str(tmp_path / "e")]
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "━" not in piped.stderr
    master, slave = pty.openpty()
    running = subprocess.Popen(command, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    assert running.wait() == 0
    os.close(master)
    text = shown.decode()
    assert "━" in text
    assert "12/12" in text
    assert "/s" in text
