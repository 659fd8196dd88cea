"""Killed, out of room, or two at once: nothing is lost. `faults/` tries more of it."""

import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from invoking import fails, invoke, table

from lungcli.system.locks import LOCK, locked

KILLED = Path(__file__).parents[2] / "faults" / "killed.py"
TRAIN = ["--size", "64", "--filters", "4", "--depth", "1", "--batch-size", "4"]


def contents(folder):
    """Everything but the exported network, whose tensors are named by chance."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "model.onnx"
    }


def run_killed(folder, number, *arguments):
    """Run a command, killed before its file operation of that number; 0 for never."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(KILLED), str(number), "count", *map(str, arguments)],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == (-signal.SIGKILL if number else 0), done.stderr
    return 0 if number else int((folder / "count").read_text())


@pytest.mark.slow
def test_killed_twice_the_training_is_the_same_to_the_last_bit(tmp_path, prepared):
    train = ["train", "--data", prepared, *TRAIN, "--epochs", "4"]
    count = run_killed(tmp_path / "whole", 0, *train, "--run", "r")
    cut = tmp_path / "cut"
    run_killed(cut, count // 2, *train, "--run", "r")
    epochs = len(list((cut / "r" / "state").glob("epoch-*.json")))
    assert epochs > 0
    again = ["train", "--resume", "--run", "r"]
    run_killed(cut, count // 3, *again)
    run_killed(cut, 0, *again)
    assert contents(cut / "r") == contents(tmp_path / "whole" / "r")


@pytest.mark.slow
def test_killed_and_resumed_predictions_are_the_same(tmp_path, phantoms):
    predict = ["predict", phantoms / "CXR_png", "--out", "masks"]
    count = run_killed(tmp_path / "whole", 0, *predict)
    cut = tmp_path / "cut"
    run_killed(cut, count // 2, *predict)
    done = len(list((cut / "masks").glob("*.png")))
    assert 0 < done < 12
    run_killed(cut, 0, *predict, "--resume")
    for path in (tmp_path / "whole" / "masks").glob("*.png"):
        assert (cut / "masks" / path.name).read_bytes() == path.read_bytes()
    rows = [
        table(tmp_path / name / "masks" / "predictions.csv")
        for name in ("whole", "cut")
    ]
    assert [{**row, "seconds": 0} for row in rows[0]] == [
        {**row, "seconds": 0} for row in rows[1]
    ]
    assert not [path for path in (cut / "masks").iterdir() if path.name[0] == "."]


@pytest.mark.parametrize(
    ("command", "out", "option"),
    [
        (["predict", "{xray}", "--out"], "out", "--out"),
        (["prepare", "{source}", "--out"], "out", "--out"),
        (
            ["evaluate", "--model", "bundled", "--data", "{data}", "--out"],
            "out",
            "--out",
        ),
        (["stress", "--model", "bundled", "--data", "{data}", "--out"], "out", "--out"),
        (
            ["visualize", "--model", "bundled", "--data", "{data}", "--out"],
            "o.gif",
            "--out",
        ),
        (["train", "--data", "{data}", "--run"], "out", "--run"),
        (["train", "--folds", "2", "--data", "{data}", "--run"], "out", "--run"),
    ],
)
def test_a_second_process_is_refused(
    tmp_path, phantoms, prepared, monkeypatch, capsys, command, out, option
):
    names = {
        "xray": next(phantoms.glob("CXR_png/*.png")),
        "source": phantoms,
        "data": prepared,
    }
    monkeypatch.chdir(tmp_path)
    outside = command[0] == "prepare" or out.endswith(".gif")
    with locked(tmp_path / out, outside=outside):
        arguments = [part.format(**names) for part in command]
        line = fails(capsys, monkeypatch, *arguments, out)
    assert f"{out} is in use by process" in line
    assert option in line
    assert not list(tmp_path.rglob("*.png"))


def test_resume_is_refused_while_it_trains(run, tmp_path, monkeypatch, capsys):
    copy = tmp_path / "r"
    shutil.copytree(run, copy)
    before = contents(copy)
    with locked(copy):
        line = fails(capsys, monkeypatch, "train", "--resume", "--run", copy)
        (copy / LOCK).unlink()
    assert "is in use by process" in line
    assert contents(copy) == before


@pytest.mark.usefixtures("unexported")
def test_a_start_that_was_killed_is_no_run_yet(tmp_path, prepared, run):
    """Killed between `config.json` and `model.json`, the same command works again."""
    new = tmp_path / "r"
    (new / "state").mkdir(parents=True)
    shutil.copy(run / "config.json", new)
    (new / "state" / ".part-initial.weights.h5").touch()
    invoke("train", "--data", prepared, *TRAIN, "--epochs", "1", "--run", new)
    assert (new / "best.weights.h5").is_file()


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", "{}"), ("config.json", None), ("notes.txt", ""), ("state/x", "")],
)
def test_a_folder_with_anything_else_is_somebodys(
    tmp_path, prepared, monkeypatch, capsys, name, content, run
):
    path = tmp_path / "r" / name
    path.parent.mkdir(parents=True)
    path.write_text((run / "model.json").read_text() if content is None else content)
    command = ["train", "--data", prepared, *TRAIN, "--run", tmp_path / "r"]
    assert "exists already" in fails(capsys, monkeypatch, *command)
    assert [each.name for each in (tmp_path / "r").rglob("*")] == name.split("/")


def test_a_run_that_lost_its_state_is_not_begun_again(
    run, tmp_path, monkeypatch, capsys
):
    shutil.copytree(run, tmp_path / "r")
    shutil.rmtree(tmp_path / "r" / "state")
    line = fails(capsys, monkeypatch, "train", "--resume", "--run", tmp_path / "r")
    assert "no state to go on from" in line
    history = (tmp_path / "r" / "history.csv").read_bytes()
    assert history == (run / "history.csv").read_bytes()


@contextmanager
def small_disk(path, size):
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)  # noqa: S607


def test_a_disk_that_runs_full_is_said_and_then_gone_on_from(
    tmp_path, phantoms, monkeypatch, capsys
):
    with small_disk(tmp_path / "disk", "32k") as disk:
        predict = ["predict", phantoms / "CXR_png", "--out", disk / "masks"]
        line = fails(capsys, monkeypatch, *predict)
        assert "No space left on device" in line
        assert not list(disk.rglob(".*"))
        larger = ["mount", "-o", "remount,size=8m", str(disk)]
        subprocess.run(larger, check=True)
        invoke(*predict, "--resume")
        assert len(table(disk / "masks" / "predictions.csv")) == 12
