"""Ctrl-C, kill and a second try, as a user's terminal sends them."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from lungcli.data.prepared import open_prepared
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals to process groups"),
]
_PATIENCE = 60  # seconds; only a hang takes as long


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    mask = np.zeros((700, 600), np.uint8)
    mask[100:600, 50:250] = mask[100:600, 350:550] = 255
    for index in range(120):
        for folder, array in (
            ("images", rng.integers(0, 255, (7, 6))),
            ("masks", mask),
        ):
            path = tmp_path / "set" / folder / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(array.astype(np.uint8)).resize((600, 700))
            picture.save(path, compress_level=1)
    return tmp_path / "set"


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def start(folder):
    """Replace the data set in a process group of its own, with two workers."""
    command = [sys.executable, "-m", "lungcli", "prepare", "set", "--force"]
    return subprocess.Popen(
        [*command, "--workers", "2", "--seed", "1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition):
    give_up = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def group_is_gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def half_written(folder):
    return any((folder / ".part-prepared" / "images").glob("*.png"))


@pytest.fixture
def old(source, tmp_path):
    small = PrepareSettings(out=tmp_path / "prepared", size=32, workers=1)
    prepare([source], settings=small)
    return contents(tmp_path / "prepared")


@pytest.mark.parametrize("when", ["starting", "working"])
def test_ctrl_c(tmp_path, old, when):
    process = start(tmp_path)
    part = tmp_path / ".part-prepared"
    wait_for(lambda: part.exists() if when == "starting" else half_written(tmp_path))
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
    _, errors = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    wait_for(lambda: group_is_gone(process.pid))
    assert contents(tmp_path / "prepared") == old
    assert {path.name for path in tmp_path.iterdir()} == {"set", "prepared"}


def test_kill_and_run_again(tmp_path, source, old):
    process = start(tmp_path)
    wait_for(lambda: half_written(tmp_path))
    process.kill()  # the parent alone: its workers must notice
    process.communicate(timeout=_PATIENCE)
    wait_for(lambda: group_is_gone(process.pid))
    assert contents(tmp_path / "prepared") == old
    again = PrepareSettings(out=tmp_path / "prepared", size=32, force=True, workers=2)
    prepare([source], settings=again)
    assert contents(tmp_path / "prepared") == old
    assert {path.name for path in tmp_path.iterdir()} == {"set", "prepared"}
    assert len(open_prepared(tmp_path / "prepared").cases) == 120
