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
def test_a_stopped_training_can_be_resumed_and_stopped_again(tmp_path, prepared):
    run = tmp_path / "r"
    size = ["--size", "64", "--filters", "4", "--depth", "2", "--batch-size", "4"]
    new = ["--data", str(prepared), "--epochs", "500", *size]
    turns = [(new, signal.SIGTERM, 143), (["--resume"], signal.SIGINT, 130)]
    for options, number, status in turns:
        done = epochs_of(run)
        running = subprocess.Popen(
            [*LUNGCLI, "train", *options, "--run", "r"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        while epochs_of(run) == done and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(number)
        _, stderr = running.communicate()
        assert running.returncode == status, stderr
        assert "Traceback" not in stderr
        assert epochs_of(run) > done
        for name in ("best.weights.h5", "curves.png", "evolution.gif"):
            assert (run / name).is_file()
        assert not list(run.rglob(".*"))
        assert "Go on with: lungcli train --resume --run r" in stderr
    epochs = [line.partition(",")[0] for line in history_of(run)[1:]]
    assert [*map(float, epochs)] == [*range(1, len(epochs) + 1)]


def history_of(run):
    path = run / "history.csv"
    return path.read_text().splitlines() if path.exists() else []


def epochs_of(run):
    return max(0, len(history_of(run)) - 1)


SLOW_TO_STOP = """
import time
from lungcli.cli.signals import StopSignals

with StopSignals() as stops:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(stops.status, flush=True)
        time.sleep({pause})
        print("whole", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [(signal.SIGTERM, signal.SIGINT, 130), (signal.SIGINT, signal.SIGTERM, 143)],
)
def test_the_second_signal_ends_at_once(first, second, status):
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_STOP.format(pause=0.6)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout.readline() == "ready\n"
    running.send_signal(first)
    assert running.stdout.readline() == f"{128 + first}\n"
    assert running.stdout.readline() == "whole\n"
    running.send_signal(second)
    assert running.wait() == status
    running.stdout.close()


def test_the_same_signal_twice_at_once_is_one():
    """`timeout` sends it to the command and to its group."""
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_STOP.format(pause=0)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGTERM)
    assert running.stdout.readline() == "143\n"
    running.kill()
    running.communicate()


@pytest.mark.parametrize("stream", ["> /dev/full", ">&-", ">&- 2>&-", "2> /dev/full"])
def test_streams_that_cannot_be_written(stream):
    line = f"{sys.executable} -m lungcli --version {stream}"
    done = subprocess.run(  # noqa: S602 - what the shell does is tested
        line, shell=True, check=False, capture_output=True, text=True
    )
    assert done.returncode == (1 if stream == "> /dev/full" else 0)
    assert "Traceback" not in done.stderr
    if stream == "> /dev/full":
        assert done.stderr.startswith("error: ")
        assert "No space left" in done.stderr


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


STOPPED_IN_TEXT = """
from lungcli.cli import start, {module} as module

def run():
    exec("import os, signal, time; os.kill(os.getpid(), {number}); time.sleep(9)")

module.{name} = run
start.main()
"""


@pytest.mark.parametrize(
    ("module", "name", "number", "status"),
    [
        pytest.param("app", "_run", signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param("app", "_run", signal.SIGINT, 130, id="SIGINT"),
        pytest.param("start", "_open_streams", signal.SIGINT, 130, id="imports"),
    ],
)
def test_stopped_where_python_runs_text(tmp_path, module, name, number, status):
    """As it does for every dataclass.

    Once an interrupt has come out of `exec` of a text, `python -m` ends by SIGINT,
    whatever the exit status, unless it is made to forget that.
    """
    values = {"module": module, "name": name, "number": int(number)}
    (tmp_path / "stopped.py").write_text(STOPPED_IN_TEXT.format(**values))
    done = subprocess.run(
        [sys.executable, "-m", "stopped"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "")
