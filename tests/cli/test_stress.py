"""`lungcli stress` as a user types it, and what it leaves."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from invoking import fails, invoke, pixels, table

from lungcli.model import find as models
from lungcli.perturbations.catalogue import PERTURBATIONS
from lungcli.workflows.stressing.trials import list_trials

PAGE = Path(__file__).parents[2] / "docs" / "commands" / "stress.md"
LUNGCLI = [sys.executable, "-m", "lungcli"]
FILES = {
    "examples.png",
    "stress.csv",
    "stress.json",
    "stress.png",
    "stress.svg",
    "stress_cases.csv",
}
TWO = ["--only", "inversion", "--only", "rotation"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_the_real_command_with_everything(tmp_path, prepared, run):
    command = [*LUNGCLI, "stress", "--data", str(prepared), "--model", str(run)]
    command += ["--out", str(tmp_path / "s"), "--cases", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert names(tmp_path / "s") == FILES
    for row in table(tmp_path / "s" / "stress.csv"):
        assert row["perturbation"] in done.stdout
    assert "1 case, split test" in done.stdout
    assert "━" not in done.stderr


def test_the_page_lists_every_perturbation_and_counts_the_looks():
    page = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z]+)` \|", page, flags=re.MULTILINE)
    assert listed == [perturbation.name for perturbation in PERTURBATIONS]
    assert f"A case takes {len(list_trials(PERTURBATIONS))} looks" in page


@pytest.fixture(scope="module")
def written(prepared, run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stress") / "s"
    common = ["stress", "--data", prepared, "--model", run, "--split", "all"]
    result = invoke(*common, "--cases", 4, *TWO, "--out", folder, "--json")
    return json.loads(result.stdout), folder


class TestFiles:
    def test_json_on_stdout_is_the_file(self, written):
        document, folder = written
        assert document == json.loads((folder / "stress.json").read_text())
        assert (document["cases"], document["split"], document["seed"]) == (4, "all", 0)
        assert list(document["perturbations"]) == ["rotation", "inversion"]
        rotation = document["perturbations"]["rotation"]
        assert rotation["neutral"] == 0
        assert {drop["dice"] for drop in rotation["drops"]} == {0.95, 0.9}
        assert rotation["verdict"].startswith("mean Dice below 0.95 ")

    def test_the_tables_agree(self, written):
        document, folder = written
        cases = table(folder / "stress_cases.csv")
        assert len(cases) == 4 * (9 + 2)
        for row in table(folder / "stress.csv"):
            scores = [
                float(case["dice"])
                for case in cases
                if (case["perturbation"], case["level"])
                == (row["perturbation"], row["level"])
            ]
            assert len(scores) == int(row["cases"]) == 4
            mean = float(row["dice"])
            assert mean == pytest.approx(sum(scores) / 4, abs=1e-5)
            assert float(row["dice_ci95_low"]) <= mean <= float(row["dice_ci95_high"])
            failed = sum(score < 0.9 for score in scores) / 4
            assert float(row["failure_rate"]) == failed
            levels = document["perturbations"][row["perturbation"]]["levels"]
            (level,) = [one for one in levels if one["level"] == float(row["level"])]
            assert level["mean"] == pytest.approx(mean, abs=1e-6)

    def test_the_neutral_levels_are_one(self, written):
        _, folder = written
        neutral = [row for row in table(folder / "stress.csv") if row["neutral"] == "1"]
        assert [row["perturbation"] for row in neutral] == ["rotation", "inversion"]
        assert len({row["dice"] for row in neutral}) == 1

    def test_the_example_has_a_place_for_every_level(self, written):
        _, folder = written
        height, width, _ = pixels(folder / "examples.png").shape
        assert width == 6 + 9 * (192 + 6)
        assert height > 2 * 192


def test_same_seed_same_files(here, prepared, run):
    for out in ("one", "two", "other"):
        seed = 1 if out == "other" else 0
        arguments = ["--data", prepared, "--model", run, "--split", "all"]
        some = ["--cases", 3, "--only", "noise", "--seed", seed, "--out", out]
        invoke("stress", *arguments, *some)
    for name in FILES:
        one, two, other = (
            (here / out / name).read_bytes() for out in ("one", "two", "other")
        )
        assert one == two, name
        assert one != other, name


def test_results_lie_beside_the_run(here, prepared, run):
    shutil.copytree(run, here / "r")
    arguments = ["--data", prepared, "--model", "r", "--only", "inversion"]
    invoke("stress", *arguments)
    invoke("stress", *arguments, "--split", "val")
    assert names(here / "r" / "stress") == {*FILES, "val"}
    assert names(here / "r" / "stress" / "val") == FILES


def test_or_here_for_the_bundled_network(here, prepared, run, monkeypatch):
    shutil.copytree(run, here / "models" / "lungs")
    monkeypatch.setattr(models, "MODELS", here / "models")
    result = invoke("stress", "--data", prepared, "--only", "inversion")
    assert names(here / "stress") == FILES
    assert "the model that came with lungcli is used" in result.stderr


def test_known_cases_are_announced(here, prepared, run):
    common = ["--data", prepared, "--model", run, "--only", "inversion"]
    result = invoke("stress", *common, "--split", "train", "--out", "s", "--cases", 0)
    assert "the model was trained on 8 of these 8 cases" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "lungcli prepare", id="no-data"),
        pytest.param(["--only", "nois"], "Did you mean noise?", id="no-such-name"),
        pytest.param(["--only", "x"], "rotation, scale, shift", id="lists-the-names"),
    ],
)
def test_errors(here, capsys, monkeypatch, arguments, message):
    assert message in fails(capsys, monkeypatch, "stress", *arguments)
    assert not names(here)


def test_errors_of_the_place(here, prepared, run, capsys, monkeypatch):
    (here / "file").touch()
    common = ["stress", "--data", prepared, "--model", run]
    line = fails(capsys, monkeypatch, *common, "--out", "file/below")
    assert "file/below" in line
    line = fails(capsys, monkeypatch, *common, "--out", prepared / "s")
    assert "belongs to the prepared data set" in line


def test_usage_errors():
    invoke("stress", "--cases", -1, status=2)
    invoke("stress", "--split", "half", status=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_stopped_test_leaves_no_file(tmp_path, prepared, run, number, status):
    command = [*LUNGCLI, "stress", "--data", str(prepared), "--model", str(run)]
    command += ["--out", str(tmp_path / "s"), "--split", "all", "--cases", "0"]
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "s").exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(number)
    _, stderr = running.communicate()
    assert running.returncode == status, stderr
    assert "Traceback" not in stderr
    assert not list((tmp_path / "s").glob("*"))
