"""Each command as a user types it, in process and once in a subprocess."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from invoking import fails, invoke, pixels, table
from PIL import Image

from lungcli.phantom import write_montgomery

TINY = ["--size", "64", "--filters", "4", "--depth", "2", "--batch-size", "4"]


def num_frames(path):
    with Image.open(path) as film:
        return film.n_frames


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestPrepare:
    def test_tables_and_next_step(self, here, phantoms):
        result = invoke("prepare", phantoms, "--workers", 1)
        assert "montgomery" in result.stdout
        assert "lungcli train" in result.stdout
        assert (here / "prepared" / "cases.csv").is_file()

    def test_json(self, here, phantoms):
        result = invoke("prepare", phantoms, "--workers", 1, "--json")
        assert json.loads(result.stdout)


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    """What a training in an empty folder printed, and its run; of too few cases."""
    folder = tmp_path_factory.mktemp("trained")
    few = ["--size", 64, "--filters", 4, "--depth", 2, "--batch-size", 99]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command = ["train", "--data", prepared, "--epochs", 2, *few, "--tensorboard"]
        return invoke(*command), folder / "runs" / "latest"


class TestTrain:
    def test_run_folder(self, trained):
        result, run = trained
        names = {path.name for path in run.iterdir()}
        assert names >= {
            "best.weights.h5",
            "config.json",
            "curves.png",
            "evolution.gif",
            "history.csv",
            "model.json",
            "model.onnx",
            "state",
        }
        assert "best validation Dice" in result.stdout
        rows = table(run / "history.csv")
        assert [float(row["epoch"]) for row in rows] == [1, 2]
        assert num_frames(run / "evolution.gif") == 2

    @pytest.mark.usefixtures("unexported")
    def test_the_command_line_wins_over_the_file(self, here, prepared):
        (here / "my.toml").write_text(
            f'data = "{prepared}"\nrun = "mine"\nepochs = 7\nsize = 64\n'
            "filters = 4\ndepth = 2\nbatch-size = 4\n"
        )
        result = invoke("train", "--config", "my.toml", "--epochs", 1, "--json")
        document = json.loads(result.stdout)
        assert (document["epochs"], document["run"]) == (1, "mine")
        settings = json.loads((here / "mine" / "config.json").read_text())["settings"]
        assert (settings["epochs"], settings["filters"]) == (1, 4)

    @pytest.mark.usefixtures("unexported")
    def test_resume_goes_on(self, here, trained):
        shutil.copytree(trained[1].parent, here / "runs", symlinks=True)
        result = invoke("train", "--resume", "--epochs", 3, "--json")
        assert json.loads(result.stdout)["epochs"] == 3
        run = here / "runs" / "latest"
        assert [float(row["epoch"]) for row in table(run / "history.csv")] == [1, 2, 3]
        assert num_frames(run / "evolution.gif") == 3
        again = invoke("train", "--resume", "--run", run)
        assert "all 3 epochs are done" in again.stderr

    @pytest.mark.usefixtures("unexported")
    def test_two_data_sets_train_one_network(self, here, prepared, tmp_path_factory):
        other = tmp_path_factory.mktemp("other") / "other"
        write_montgomery(other, count=6, seed=9, size=96, workers=1)
        for path in sorted(other.rglob("PHANTOM_*")):
            path.rename(path.with_name(path.name.replace("PHANTOM", "OTHER")))
        invoke("prepare", other, "--out", "o", "--test", 0, "--val", 0.34)
        arguments = ["--data", prepared, "--data", "o", "--epochs", 1, *TINY]
        invoke("train", *arguments, "--run", "r")
        data = json.loads((here / "r" / "model.json").read_text())["data"]
        assert [len(entry["cases"]) for entry in data] == [8, 4]
        assert [len(entry["validation"]) for entry in data] == [2, 2]
        both = ["--data", prepared, "--data", "o", "--model", "r"]
        result = invoke("evaluate", *both, "--split", "test")
        assert "no case with mask in split 'test' of o" in result.stderr

    def test_a_data_set_named_twice_counts_once(self, here, prepared, run):
        twice = ["--data", prepared, "--data", f"{prepared}/../{prepared.name}"]
        document = json.loads(
            invoke("evaluate", *twice, "--model", run, "--json").stdout
        )
        assert document["cases"] == 2

    def test_what_was_killed_after_its_last_epoch_is_finished(self, here, trained):
        shutil.copytree(trained[1], here / "r")
        film = (here / "r" / "evolution.gif").read_bytes()
        after = ["curves.png", "evolution.gif", "model.onnx"]
        for name in after:
            (here / "r" / name).unlink()
        result = invoke("train", "--resume", "--run", "r")
        assert "all 2 epochs are done" in result.stderr
        assert all((here / "r" / name).is_file() for name in after)
        assert (here / "r" / "evolution.gif").read_bytes() == film

    def test_tensorboard(self, trained):
        assert list((trained[1] / "tensorboard").rglob("events.out.tfevents.*"))

    def test_small_data_get_a_smaller_batch(self, trained):
        assert "only 8 training cases" in trained[0].stderr

    @pytest.mark.usefixtures("unexported")
    def test_ctrl_c_keeps_what_was_done(self, here, prepared, monkeypatch):
        from lungcli.nn.state import StateKeeper

        keep = StateKeeper.on_epoch_end

        def interrupt(self, epoch, logs=None):
            keep(self, epoch, logs)
            raise KeyboardInterrupt

        monkeypatch.setattr(StateKeeper, "on_epoch_end", interrupt)
        arguments = ["--data", prepared, "--epochs", 3, *TINY, "--run", "r"]
        result = invoke("train", *arguments, status=130)
        assert "lungcli train --resume --run r" in result.stderr
        assert (here / "r" / "best.weights.h5").is_file()
        assert (here / "r" / "curves.png").is_file()
        monkeypatch.undo()
        os.chdir(here)
        done = invoke("train", "--resume", "--json")
        assert json.loads(done.stdout)["epochs"] == 3


class TestEvaluate:
    def test_json_is_the_summary(self, here, prepared, run):
        arguments = ["--data", prepared, "--model", run, "--out", "scores", "--json"]
        document = json.loads(invoke("evaluate", *arguments).stdout)
        assert document == json.loads((here / "scores" / "summary.json").read_text())
        assert document["cases"] == 2
        assert 0 <= document["dice"]["min"] <= document["dice"]["mean"] <= 1
        assert document["sources"]["montgomery"]["dice"] == document["dice"]
        rows = table(here / "scores" / "cases.csv")
        mean = sum(float(row["dice"]) for row in rows) / len(rows)
        assert mean == pytest.approx(document["dice"]["mean"], abs=1e-6)

    def test_table(self, here, prepared, run):
        result = invoke(
            "evaluate", "--data", prepared, "--model", run, "--split", "all"
        )
        assert "12 cases" in result.stdout
        assert "the model was trained on 8 of these 12 cases" in result.stderr
        assert "PHANTOM_" in result.stdout

    def test_the_latest_run_is_the_default(self, here, prepared, run):
        (here / "runs").mkdir()
        (here / "runs" / "latest").symlink_to(run)
        shutil.copytree(prepared, here / "prepared")
        result = invoke("evaluate", "--split", "val", "--json")
        assert json.loads(result.stdout)["split"] == "val"


class TestVisualize:
    def test_films_and_overlays(self, here, prepared, run):
        arguments = ["--data", prepared, "--model", run, "--out", "pics"]
        invoke("visualize", *arguments, "--gif", "--png", "--side", 128, "--fps", 5)
        with Image.open(here / "pics" / "output.gif") as film:
            assert (film.n_frames, film.info["duration"]) == (2, 200)
        names = {path.name for path in (here / "pics").iterdir()}
        assert names == {
            "output.gif",
            "predicted.gif",
            "gold_std.gif",
            "diff.gif",
            "overlays",
        }
        assert len(list((here / "pics" / "overlays").iterdir())) == 2

    def test_worst_comes_first(self, here, prepared, run):
        common = ["--data", prepared, "--model", run, "--split", "all"]
        scores = ["evaluate", *common, "--out", "scores"]
        invoke(*scores)
        rows = table(here / "scores" / "cases.csv")
        worst = sorted(rows, key=lambda row: float(row["dice"]))[:3]
        drawn = ["--png", "--worst", 3, "--side", 64, "--json"]
        document = json.loads(invoke("visualize", *common, *drawn, "--out", "p").stdout)
        shown = [path.rpartition("/")[2] for path in document["paths"]]
        assert shown == [f"{row['case_id']}.png" for row in worst]

    def test_without_masks_there_is_no_gold_to_show(self, here, phantoms, run):
        shutil.copytree(phantoms, here / "s")
        for side in ("leftMask", "rightMask"):
            (here / "s" / "ManualMask" / side / "PHANTOM_0001_0.png").unlink()
        names = [path.name for path in (here / "s" / "CXR_png").iterdir()]
        assert "PHANTOM_0001_0.png" in names
        invoke("prepare", "s", "--size", 96, "--workers", 1)
        arguments = ["--model", run, "--split", "no-mask", "--out", "p", "--side", 64]
        invoke("visualize", *arguments)
        assert sorted(path.name for path in (here / "p").iterdir()) == [
            "output.gif",
            "predicted.gif",
        ]

    def test_one_panel(self, here, prepared, run):
        arguments = ["--data", prepared, "--model", run, "--out", "p", "--side", 64]
        invoke("visualize", *arguments, "--panels", "difference")
        assert [path.name for path in (here / "p").iterdir()] == ["diff.gif"]

    def test_a_frame_is_shown_for_a_second(self, here, prepared, run):
        arguments = ["--data", prepared, "--model", run, "--side", 64]
        invoke("visualize", *arguments, "--out", "film.gif")
        with Image.open(here / "film.gif") as film:
            assert (film.n_frames, film.info["duration"]) == (2, 1000)

    def test_sheet_and_heat_maps(self, here, prepared, run):
        arguments = ["--data", prepared, "--model", run, "--out", "p", "--side", 64]
        chosen = ["--split", "all", "--random", 3, "--seed", 2]
        invoke("visualize", *arguments, *chosen, "--grid", "--uncertainty")
        assert {path.name for path in (here / "p").iterdir()} == {
            "grid.png",
            "uncertainty",
        }
        assert len(list((here / "p" / "uncertainty").iterdir())) == 3

    def test_film_of_another_format(self, here, prepared, run, capsys, monkeypatch):
        arguments = ["visualize", "--data", prepared, "--model", run]
        line = fails(capsys, monkeypatch, *arguments, "--out", "film.avi")
        assert "no films in the format .avi. Take one of .gif, .webp" in line
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
        line = fails(capsys, monkeypatch, *arguments, "--out", "film.mp4")
        assert "pip install 'lungcli[video]'" in line
        assert not list(here.iterdir())


class TestAugmentPreview:
    def test_sheet_and_film(self, here, prepared):
        case = "PHANTOM_0001_0"
        arguments = ["--data", prepared, "--draws", 3, "--gif"]
        invoke("augment-preview", *arguments)
        folder = here / "augment-preview"
        assert num_frames(folder / "augmented.gif") == 3
        first = (folder / "augmented.png").read_bytes()
        invoke("augment-preview", *arguments)
        assert (folder / "augmented.png").read_bytes() == first
        names = [row["case_id"] for row in table(prepared / "cases.csv")]
        assert case.rpartition("_")[0] in {name.rpartition("_")[0] for name in names}

    def test_unknown_case(self, here, prepared, capsys, monkeypatch):
        arguments = ["augment-preview", "--data", prepared, "--case", "nobody"]
        line = fails(capsys, monkeypatch, *arguments)
        assert "no case nobody" in line

    def test_a_case_with_its_source(self, here, prepared):
        row = table(prepared / "cases.csv")[0]
        name = f"{row['source']}/{row['case_id']}"
        arguments = ["--data", prepared, "--case", name, "--draws", 1]
        invoke("augment-preview", *arguments)
        assert (here / "augment-preview" / "augmented.png").is_file()

    @pytest.mark.parametrize("strength", ["nan", "inf"])
    def test_an_impossible_strength(self, here, capsys, monkeypatch, strength):
        arguments = ["augment-preview", "--strength", strength]
        assert "strength" in fails(capsys, monkeypatch, *arguments)


class TestReferences:
    def test_evaluation_is_against_the_untouched_reference(self, here, prepared, run):
        """A reference that only its original grid can show must lower the scores."""
        common = ["--model", run, "--split", "all", "--json"]
        shutil.copytree(prepared, here / "p")
        before = json.loads(invoke("evaluate", "--data", "p", *common).stdout)
        for path in (here / "p" / "references").iterdir():
            Image.fromarray(pixels(path)[:, ::-1].copy()).save(path)
        after = json.loads(invoke("evaluate", "--data", "p", *common).stdout)
        assert after["dice"]["mean"] < before["dice"]["mean"]
        assert after["right"]["dice"]["mean"] < 0.1


def test_the_demo_stops_when_its_training_is_stopped(here, monkeypatch):
    from lungcli.model.config import TrainConfig
    from lungcli.nn.state import StateKeeper
    from lungcli.workflows import demo as workflow

    def interrupt(self, epoch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(StateKeeper, "on_epoch_end", interrupt)
    config = TrainConfig(size=64, filters=4, depth=2, epochs=3, batch_size=4)
    with pytest.raises(KeyboardInterrupt):
        workflow.demo(here / "demo", config=config, num_phantoms=9)
    assert (here / "demo" / "runs" / "demo-1" / "best.weights.h5").is_file()
    assert not (here / "demo" / "runs" / "demo-1" / "evaluation").exists()


ORDER = [
    pytest.param(["prepare", "nowhere"], r"nowhere", id="prepare-missing"),
    pytest.param(["prepare", "empty"], r"empty", id="prepare-empty"),
    pytest.param(["train"], r"lungcli prepare", id="train-before-prepare"),
    pytest.param(["augment-preview"], r"lungcli prepare", id="augment-before-prepare"),
    pytest.param(["evaluate"], r"lungcli prepare", id="evaluate-before-prepare"),
    pytest.param(["visualize"], r"lungcli prepare", id="visualize-before-prepare"),
    pytest.param(
        ["predict", "nowhere"], r"nowhere does not exist", id="predict-missing"
    ),
    pytest.param(["predict", "empty"], r"no image in empty", id="predict-empty"),
    pytest.param(["train", "--resume"], r"lungcli train", id="resume-nothing"),
    pytest.param(["train", "--config", "no.toml"], r"no\.toml", id="config-missing"),
    pytest.param(["train", "--epochs", "0"], r"epochs must be", id="no-epochs"),
    pytest.param(["train", "--size", "99999"], r"size must be at most", id="size"),
    pytest.param(
        ["train", "--seed", "4294967296"], r"seed must be at most", id="seed-too-large"
    ),
    pytest.param(["demo", "--out", "full"], r"full exists", id="demo-over-a-folder"),
    pytest.param(["demo", "--out", "a.png"], r"a\.png exists", id="demo-over-a-file"),
]


@pytest.mark.parametrize(("arguments", "message"), ORDER)
def test_wrong_order_and_missing_input(here, capsys, monkeypatch, arguments, message):
    (here / "empty").mkdir()
    (here / "full").mkdir()
    (here / "full" / "mine.txt").touch()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(here / "a.png")
    before = sorted(path.name for path in here.rglob("*"))
    line = fails(capsys, monkeypatch, *arguments)
    assert re.search(message, line), line
    assert sorted(path.name for path in here.rglob("*")) == before


def test_a_run_that_is_not_there(here, prepared, capsys, monkeypatch):
    for command in ("evaluate", "visualize"):
        arguments = ["--data", prepared, "--model", "runs/latest"]
        line = fails(capsys, monkeypatch, command, *arguments)
        assert "no trained model in runs/latest. Run 'lungcli train' first" in line


def test_a_split_without_cases_names_the_others(
    here, phantoms, run, capsys, monkeypatch
):
    arguments = ["--workers", 1, "--test", 0, "--val", 0.5]
    invoke("prepare", phantoms, "--out", "p", *arguments)
    line = fails(capsys, monkeypatch, "evaluate", "--data", "p", "--model", run)
    assert "split 'test'" in line
    assert "train (6), val (6), all (12)" in line


@pytest.mark.parametrize("command", ["train", "evaluate", "visualize", "predict"])
def test_unwritable_output(here, prepared, run, capsys, monkeypatch, command):
    (here / "file").touch()
    blocked = "file/below"
    data = ["--data", prepared]
    arguments = {
        "train": [*data, "--epochs", 1, *TINY, "--run", blocked],
        "evaluate": [*data, "--model", run, "--out", blocked],
        "visualize": [*data, "--model", run, "--out", blocked, "--side", 64],
        "predict": [
            next((prepared / "images").iterdir()),
            "--model",
            run,
            "--out",
            blocked,
        ],
    }
    line = fails(capsys, monkeypatch, command, *arguments[command])
    assert "file/below" in line


def test_results_do_not_go_into_a_prepared_data_set(
    here, prepared, run, capsys, monkeypatch
):
    shutil.copytree(prepared, here / "p")
    before = {path: path.read_bytes() for path in (here / "p").rglob("*.*")}
    image = next((prepared / "images").iterdir())
    for arguments in (
        ["evaluate", "--data", "p", "--model", run, "--out", "p"],
        ["visualize", "--data", "p", "--model", run, "--out", "p/pictures"],
        ["augment-preview", "--data", "p", "--out", "p"],
        ["predict", image, "--model", run, "--out", "p/images"],
    ):
        line = fails(capsys, monkeypatch, *arguments)
        assert "belongs to the prepared data set" in line
    assert before == {path: path.read_bytes() for path in (here / "p").rglob("*.*")}


def test_a_diverged_training_is_an_error(here, prepared, capsys, monkeypatch):
    arguments = ["train", "--data", prepared, "--epochs", 9, *TINY, "--run", "r"]
    line = fails(capsys, monkeypatch, *arguments, "--learning-rate", "4e9")
    assert "Use a lower --learning-rate" in line


def test_splits_do_not_overwrite_each_other(here, prepared, run):
    shutil.copytree(run, here / "r")
    for split in ("test", "val"):
        invoke("evaluate", "--data", prepared, "--model", "r", "--split", split)
    folders = (here / "r" / "evaluation", here / "r" / "evaluation" / "val")
    for folder, split in zip(folders, ("test", "val"), strict=True):
        assert json.loads((folder / "summary.json").read_text())["split"] == split


def test_an_existing_run_is_not_overwritten(here, prepared, run, capsys, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    arguments = ["train", "--data", prepared, "--run", run]
    assert "--resume" in fails(capsys, monkeypatch, *arguments)
    assert before == {path: path.stat().st_mtime_ns for path in run.iterdir()}


@pytest.mark.parametrize(
    ("flag", "value"), [("--seed", 3), ("--arch", "unet"), ("--data", "elsewhere")]
)
def test_resume_ignores_nothing_silently(here, capsys, monkeypatch, flag, value):
    line = fails(capsys, monkeypatch, "train", "--resume", flag, value)
    assert flag in line


@pytest.mark.parametrize("change", [["--size", 64], ["--seed", 5]])
def test_a_changed_data_set_is_not_resumed(
    here, prepared, phantoms, run, capsys, monkeypatch, change
):
    shutil.copytree(run, here / "r")
    shutil.copytree(prepared, here / "data")
    config = json.loads((here / "r" / "config.json").read_text())
    config["data"][0]["path"] = str(here / "data")
    (here / "r" / "config.json").write_text(json.dumps(config))
    again = ["--size", 96, "--val", 0.17, "--test", 0.17, *change]
    invoke("prepare", phantoms, "--out", "data", "--force", "--workers", 1, *again)
    line = fails(capsys, monkeypatch, "train", "--resume", "--run", "r", "--epochs", 99)
    assert "data has changed since" in line


def test_patients_do_not_leak_between_data_sets(
    here, prepared, phantoms, capsys, monkeypatch
):
    invoke("prepare", phantoms, "--out", "again", "--seed", 5, "--workers", 1)
    both = ["--data", prepared, "--data", "again"]
    line = fails(capsys, monkeypatch, "train", *both, "--epochs", 1, *TINY)
    assert "12 cases are in two data sets" in line
    assert "leave one data set out" in line
    assert not (here / "runs").exists()


def test_broken_runs_are_refused(here, run, capsys, monkeypatch):
    damage = {
        "history.csv": "epoch,loss\n",
        "config.json": '{"settings": {}, "data": [3]}',
        "model.json": "{}",
    }
    for name, text in damage.items():
        shutil.copytree(run, here / name)
        (here / name / name).write_text(text)
        resume = ["train", "--resume", "--run", name, "--epochs", 99]
        assert name in fails(capsys, monkeypatch, *resume)


def test_conventions_do_not_mix(here, prepared, run, capsys, monkeypatch):
    shutil.copytree(prepared, here / "other")
    facts = json.loads((here / "other" / "dataset.json").read_text())
    facts["convention"] = "heart-included"
    (here / "other" / "dataset.json").write_text(json.dumps(facts))
    both = ["--data", prepared, "--data", "other"]
    line = fails(capsys, monkeypatch, "train", *both, "--epochs", 1, *TINY)
    assert "different conventions" in line
    line = fails(capsys, monkeypatch, "evaluate", "--data", "other", "--model", run)
    assert "--any-convention" in line
    insisted = ["--data", "other", "--model", run, "--any-convention", "--out", "o"]
    invoke("evaluate", *insisted)


@pytest.mark.slow
def test_the_real_command(here, phantoms):
    """In a subprocess, with no terminal: no bars, no colours, no notices."""
    script = [sys.executable, "-m", "lungcli"]
    environment = {**os.environ, "NO_COLOR": "1"}
    sessions = [
        ["prepare", phantoms, "--size", 64, "--workers", 2],
        ["train", "--epochs", 1, *TINY],
        ["evaluate", "--split", "val"],
        ["visualize", "--gif", "--split", "val", "--side", 64],
    ]
    for arguments in sessions:
        command = [*script, *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "oneDNN" not in done.stderr
        assert "Warning" not in done.stderr
    assert (here / "runs" / "latest" / "pictures" / "output.gif").is_file()
