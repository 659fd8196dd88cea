"""`lungcli train --folds` and `--final`, as a user types them."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.data.prepared import open_prepared
from lungcli.errors import ConfigError, DatasetError
from lungcli.metrics.overlap import dice, overlap
from lungcli.nn.state import StateKeeper

pytestmark = pytest.mark.slow

TINY = ["--size", "64", "--filters", "4", "--depth", "2", "--batch-size", "4"]


def invoke(*arguments, status=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def refuses(error, message, *arguments):
    with pytest.raises(error, match=message):
        CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def table(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    """A cross-validation with two folds, and what the command printed."""
    folder = tmp_path_factory.mktemp("cross") / "cv"
    arguments = ["--data", prepared, "--folds", 2, "--epochs", 2, *TINY]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        return folder, invoke("train", *arguments, "--run", folder)


@pytest.fixture
def cv(trained, tmp_path, monkeypatch):
    """A copy of it that a test may damage."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained[0], tmp_path / "cv")
    return tmp_path / "cv"


def test_the_view(trained):
    folder, result = trained
    assert "fold 1/2" in result.stderr
    assert "fold 2/2" in result.stderr
    assert "10 cases, split out-of-fold" in result.stdout
    assert "lowest Dice, 5 of 10" in result.stdout
    assert not (folder.parent / "runs").exists()  # and so no `latest`


def test_each_case_is_scored_by_the_network_that_never_saw_it(trained, prepared):
    folder, _ = trained
    rows = table(folder / "evaluation" / "cases.csv")
    development = [
        case.case_id for case in open_prepared(prepared).cases if case.split != "test"
    ]
    assert [row["case_id"] for row in rows] == development
    for row in rows:
        model = folder / f"fold-{row['fold']}" / "model.json"
        (entry,) = json.loads(model.read_text())["data"]
        assert f"montgomery/{row['case_id']}" not in entry["cases"]
        assert len(entry["cases"]) == 5
        assert entry["validation"] == []
    assert {row["fold"] for row in rows} == {"1", "2"}


def test_the_masks_are_those_that_were_scored(trained, prepared):
    folder, _ = trained
    dataset = open_prepared(prepared)
    cases = {case.case_id: case for case in dataset.cases}
    for row in table(folder / "evaluation" / "cases.csv"):
        path = folder / "evaluation" / "masks" / "montgomery" / f"{row['case_id']}.png"
        with Image.open(path) as image:
            predicted = np.array(image)
        reference = dataset.read_reference(cases[row["case_id"]])
        score = dice(overlap(reference > 0, predicted > 0))
        assert score == pytest.approx(float(row["dice"]), abs=1e-6)


def test_a_fold_is_a_run(cv, prepared):
    arguments = ["--data", prepared, "--model", "cv/fold-1", "--split", "all"]
    result = invoke("evaluate", *arguments, "--json")
    assert "trained on 5 of these 12 cases" in result.stderr
    assert "best epoch" not in result.stderr
    own = {row["case_id"]: row for row in table(cv / "fold-1/evaluation/all/cases.csv")}
    for row in table(cv / "evaluation" / "cases.csv"):
        if row["fold"] == "1":
            assert own[row["case_id"]]["dice"] == row["dice"]


@pytest.mark.usefixtures("unexported")
def test_resume_trains_what_is_missing(cv):
    weights = (cv / "fold-1" / "best.weights.h5").stat().st_mtime_ns
    before = (cv / "fold-2" / "history.csv").read_text()
    scores = (cv / "evaluation" / "summary.json").read_text()
    shutil.rmtree(cv / "fold-2")
    shutil.rmtree(cv / "evaluation")
    result = invoke("train", "--resume", "--run", "cv", "--json")
    assert "fold 2/2" in result.stderr
    assert "fold 1/2" not in result.stderr
    assert (cv / "fold-1" / "best.weights.h5").stat().st_mtime_ns == weights
    assert table(cv / "fold-2" / "history.csv")[-1]["epoch"] == "2"
    assert len((cv / "fold-2" / "history.csv").read_text()) == len(before)
    document = json.loads(result.stdout)
    assert document == json.loads((cv / "evaluation" / "summary.json").read_text())
    assert document["cases"] == json.loads(scores)["cases"] == 10
    assert document["folds"] == 2


def test_a_fold_that_was_killed_after_its_last_epoch_is_finished(cv):
    (cv / "fold-1" / "model.onnx").unlink()
    weights = (cv / "fold-1" / "best.weights.h5").read_bytes()
    invoke("train", "--resume", "--run", "cv", "--json")
    assert (cv / "fold-1" / "model.onnx").is_file()
    assert (cv / "fold-1" / "best.weights.h5").read_bytes() == weights


@pytest.mark.usefixtures("unexported")
def test_a_half_trained_fold_goes_on(cv, prepared, monkeypatch):
    keep = StateKeeper.on_epoch_end

    def interrupt(self, epoch, logs=None):
        keep(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(StateKeeper, "on_epoch_end", interrupt)
    arguments = ["--data", prepared, "--folds", 2, "--epochs", 2, *TINY]
    result = invoke("train", *arguments, "--run", "mine", "--json", status=130)
    assert json.loads(result.stdout) == {
        "run": "mine",
        "folds": 2,
        "interrupted": True,
    }
    assert "lungcli train --resume --run mine" in result.stderr
    assert not (cv.parent / "mine" / "evaluation").exists()
    monkeypatch.undo()
    monkeypatch.chdir(cv.parent)
    # the second fold was trained by the same command with the same seed
    shutil.copytree(cv / "fold-2", cv.parent / "mine" / "fold-2")
    result = invoke("train", "--resume", "--run", "mine", "--json")
    rows = table(cv.parent / "mine" / "fold-1" / "history.csv")
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert json.loads(result.stdout)["cases"] == 10


def test_what_cannot_be_resumed(cv):
    resume = ["train", "--resume", "--run", "cv"]
    refuses(ConfigError, "Leave out --epochs", *resume, "--epochs", 3)
    refuses(ConfigError, "--folds cannot change", *resume, "--folds", 3)
    document = json.loads((cv / "fold-1" / "model.json").read_text())
    document["data"][0]["cases"].pop()
    (cv / "fold-1" / "model.json").write_text(json.dumps(document))
    refuses(DatasetError, "has changed since the run cv/fold-1 began", *resume)


def test_a_cross_validation_is_no_model(cv, prepared):
    result = CliRunner().invoke(app, ["evaluate", "--data", str(prepared), "-m", "cv"])
    assert "no model in cv" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", 2, "--final"], "Take --final or --folds, not both"),
        (["--folds", 2, "--keep", "best"], "keep the weights of the last epoch"),
        (["--final", "--keep", "best"], "keep the weights of the last epoch"),
        (["--folds", 2, "--init", "bundled"], "--folds begins with random weights"),
        (["--folds", 2, "--patience", 3], "leave out --patience"),
        (["--folds", 11], "cannot make 11 folds of 10 patients"),
        (["--folds", 1], "folds must be at least 2, got 1"),
        (["--folds", 0], "cannot make 0 folds of 10 patients"),
    ],
)
def test_contradictions(prepared, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    refuses(ConfigError, message, "train", "--data", prepared, *arguments)
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("unexported")
def test_final(prepared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--data", prepared, "--epochs", 1, *TINY, "--run", "r"]
    result = invoke("train", "--final", *arguments)
    assert "the 2 validation cases are trained on too" in result.stderr
    assert "10 training and 2 validation cases" in result.stderr
    assert "in the last epoch, whose weights were kept" in result.stdout
    (entry,) = json.loads((tmp_path / "r" / "model.json").read_text())["data"]
    assert (len(entry["cases"]), entry["validation"]) == (10, [])
    result = invoke("train", "--resume", "--run", "r", "--epochs", 2, "--json")
    assert "10 training and 2 validation cases" in result.stderr
    assert json.loads(result.stdout)["kept_epoch"] == 2
    (entry,) = json.loads((tmp_path / "r" / "model.json").read_text())["data"]
    assert (len(entry["cases"]), entry["validation"]) == (10, [])
