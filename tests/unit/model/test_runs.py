"""Run folders: named, found, remembered."""

import threading
from datetime import datetime

import pytest

from lungcli.errors import ModelError, OutputError
from lungcli.model.runs import (
    RunFolder,
    check_latest,
    find_run,
    new_run_folder,
    point_latest_to,
    read_config,
    read_history,
    write_history,
)
from lungcli.system.files import write_text


@pytest.fixture
def runs(tmp_path):
    for name in ("first", "second"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    return tmp_path / "runs"


def test_latest_follows_the_newest(runs):
    for name in ("first", "second"):
        point_latest_to(RunFolder(runs / name), runs=runs)
        assert find_run(None, runs=runs).root.resolve() == (runs / name).resolve()


def test_latest_without_symbolic_links(runs):
    write_text(runs / "latest.txt", "second")
    assert find_run(None, runs=runs).root.resolve() == (runs / "second").resolve()


def test_a_run_is_found_by_path_and_by_name(runs):
    assert find_run(runs / "first", runs=runs).root == runs / "first"
    assert find_run(runs.__class__("second"), runs=runs).root == runs / "second"


def test_a_run_elsewhere_can_be_the_latest(runs, tmp_path):
    (tmp_path / "mine").mkdir()
    point_latest_to(RunFolder(tmp_path / "mine"), runs=runs)
    assert find_run(None, runs=runs).root.resolve() == (tmp_path / "mine").resolve()


def test_no_run_says_what_to_do(tmp_path):
    with pytest.raises(
        ModelError, match=r"no trained model in .*latest.*lungcli train"
    ):
        find_run(None, runs=tmp_path)


def test_names_are_safe():
    name = new_run_folder("a/../b c").root.name
    assert name.endswith("-a----b-c")


def test_history_round_trip(tmp_path):
    run = RunFolder(tmp_path)
    rows = [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.25}]
    write_history(run, rows)
    assert read_history(run, epochs=0) == []
    assert read_history(run, epochs=2) == rows
    assert read_history(run, epochs=1) == rows[:1]


def test_broken_history_is_named(tmp_path):
    write_text(tmp_path / "history.csv", "epoch,loss\n1,abc\n")
    with pytest.raises(ModelError, match=r"cannot read .*history\.csv"):
        read_history(RunFolder(tmp_path), epochs=1)


@pytest.mark.parametrize("text", ["epoch,loss\n", "epoch,loss\n2,0.1\n", "loss\n0.1\n"])
def test_a_history_that_lost_rows_is_refused(tmp_path, text):
    write_text(tmp_path / "history.csv", text)
    with pytest.raises(ModelError, match=r"history\.csv does not hold the 1 epochs"):
        read_history(RunFolder(tmp_path), epochs=1)


def test_a_real_folder_called_latest_is_not_replaced(runs):
    (runs / "latest").mkdir()
    with pytest.raises(OutputError, match="latest is a folder of its own"):
        point_latest_to(RunFolder(runs / "first"), runs=runs)


def test_a_file_called_runs(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(OutputError, match="runs is a file"):
        check_latest(tmp_path / "runs")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"settings": 3, "data": []}',
        '{"settings": {}, "data": [1]}',
        '{"settings": {}, "data": [{"path": 3}]}',
    ],
)
def test_broken_config_is_named(tmp_path, text):
    write_text(tmp_path / "config.json", text)
    with pytest.raises(ModelError, match=r"cannot resume .*config\.json.*Restore it"):
        read_config(RunFolder(tmp_path))


def test_an_impossible_division_is_named(tmp_path):
    division = '"division": {"folds": 2, "fold": 3}'
    text = f'{{"settings": {{}}, "data": [], {division}}}'
    write_text(tmp_path / "config.json", text)
    with pytest.raises(ModelError, match=r"there is no fold 3 of 2\.\)\. Restore it"):
        read_config(RunFolder(tmp_path))


def test_a_clock_that_is_set_back_names_no_run_twice(runs, monkeypatch):
    class Clock:
        @staticmethod
        def now():
            return datetime(2026, 10, 25, 2, 30)

    monkeypatch.setattr("lungcli.model.runs.datetime", Clock)
    names = []
    for _ in range(3):
        folder = new_run_folder("set", runs=runs)
        folder.root.mkdir()
        names.append(folder.root.name)
    first = "20261025-023000-set"
    assert names == [first, f"{first}-2", f"{first}-3"]


def test_latest_while_others_point_it_elsewhere(runs):
    """Two trainings that end an epoch at once: one wins, and no file is left."""
    folders = [RunFolder(runs / name) for name in ("first", "second")]
    threads = [
        threading.Thread(
            target=lambda folder=folder: [
                point_latest_to(folder, runs=runs) for _ in range(100)
            ]
        )
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in runs.iterdir()} == {"first", "second", "latest"}
    assert find_run(None, runs=runs).root.name in ("first", "second")
