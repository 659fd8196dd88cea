"""Which folder each process of a joint training writes to; the others are pretended."""

from contextlib import nullcontext

import pytest

from lungcli.errors import ConfigError, ModelError, OutputError
from lungcli.model.runs import RunFolder
from lungcli.nn.distribution import JointProcess
from lungcli.system.locks import LOCK
from lungcli.workflows.training import joint_runs as module
from lungcli.workflows.training.joint_runs import folder_of_process
from lungcli.workflows.training.train import check_new


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.fixture
def follower(monkeypatch):
    """Pretend to be the second of two processes, the first of which is fine."""
    monkeypatch.setattr(module, "this_process", lambda: JointProcess(1, 2))
    monkeypatch.setattr(module, "failing_together", nullcontext)


def test_alone_in_the_folder_of_the_run(folder):
    with folder_of_process(folder, check=check_new) as own:
        assert own is folder
        assert (folder.root / LOCK).exists()
    assert not folder.root.exists()


def test_locked_once(folder):
    with (
        folder_of_process(folder, check=check_new),
        pytest.raises(OutputError, match="in use by process"),
        folder_of_process(folder, check=check_new),
    ):
        pass


@pytest.mark.usefixtures("follower")
def test_others_leave_nothing_of_a_new_run(folder):
    with folder_of_process(folder, check=check_new) as own:
        assert own.root != folder.root
        assert own.root.is_dir()
        (own.root / "best.weights.h5").touch()
    assert not own.root.exists()
    assert not folder.root.exists()


@pytest.mark.usefixtures("follower")
def test_others_go_on_with_a_copy(folder):
    (folder.root / "state").mkdir(parents=True)
    (folder.root / "state" / "epoch-0001.json").write_text("{}")
    (folder.root / ".part-config.json").touch()
    with folder_of_process(folder) as own:
        copied = sorted(path.name for path in own.root.rglob("*"))
        assert copied == ["epoch-0001.json", "state"]
    assert (folder.root / "state" / "epoch-0001.json").exists()


@pytest.mark.usefixtures("follower")
def test_others_must_see_the_run(folder):
    with (
        pytest.raises(ModelError, match="All machines must see it"),
        folder_of_process(folder),
    ):
        pass


def test_a_new_run_needs_a_free_folder(folder):
    folder.root.mkdir()
    (folder.root / "notes.txt").touch()
    with (
        pytest.raises(ConfigError, match="exists already"),
        folder_of_process(folder, check=check_new),
    ):
        pass
