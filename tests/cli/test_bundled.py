"""The model in the box: by default where it should be, and really in the wheel."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.errors import LungcliError
from lungcli.metrics.overlap import dice, overlap_by_lung
from lungcli.model import find as models
from lungcli.phantom import draw_phantom

ROOT = Path(__file__).parents[2]
MOST_BYTES = 25e6
TOLD = "the model that came with lungcli is used"


def invoke(*arguments, status=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def stand_in(run, tmp_path, monkeypatch):
    """A small network in the place of the shipped one."""
    folder = tmp_path / "models"
    for name in ("model.json", "best.weights.h5"):
        (folder / "lungs").mkdir(parents=True, exist_ok=True)
        shutil.copy(run / name, folder / "lungs" / name)
    monkeypatch.setattr(models, "MODELS", folder)
    return folder


def write_phantom(path, seed=0, size=256):
    phantom = draw_phantom(seed, size)
    Image.fromarray(phantom.image).save(path)
    return phantom


class TestDefaults:
    def test_predict(self, here, stand_in):
        write_phantom(here / "chest.png")
        result = invoke("predict", "chest.png")
        assert result.stderr.count(TOLD) == 1
        with Image.open(here / "masks" / "chest.png") as mask:
            assert set(np.unique(mask)) == {0, 1, 2}

    def test_predict_does_not_take_a_run_unasked(self, here, stand_in, run):
        """The mask of an X-ray must not depend on what was trained here before."""
        (here / "runs").mkdir()
        (here / "runs" / "latest").symlink_to(run)
        write_phantom(here / "chest.png")
        assert TOLD in invoke("predict", "chest.png").stderr
        own = invoke("predict", "chest.png", "--model", "runs/latest")
        assert TOLD not in own.stderr

    def test_evaluate(self, here, stand_in, prepared):
        result = invoke("evaluate", "--data", prepared, "--json")
        assert result.stderr.count(TOLD) == 1
        summary = json.loads((here / "evaluation" / "summary.json").read_text())
        assert summary == json.loads(result.stdout)
        assert summary["model"] == "bundled"
        assert only_the_model(stand_in)

    def test_evaluate_keeps_the_splits_apart(self, here, stand_in, prepared):
        chosen = ["--model", "bundled", "--split", "train"]
        result = invoke("evaluate", "--data", prepared, *chosen)
        assert TOLD not in result.stderr  # it was asked for
        assert "trained on 8 of these 8 cases" in result.stderr
        assert (here / "evaluation" / "train" / "cases.csv").is_file()

    def test_evaluate_takes_the_latest_run_first(self, here, stand_in, prepared, run):
        shutil.copytree(run, here / "runs" / "mine")
        (here / "runs" / "latest").symlink_to("mine")
        result = invoke("evaluate", "--data", prepared, "--json")
        assert TOLD not in result.stderr
        assert Path(json.loads(result.stdout)["model"]).name == "mine"

    def test_visualize(self, here, stand_in, prepared):
        chosen = ["--panels", "predicted", "--side", 64]
        result = invoke("visualize", "--data", prepared, *chosen)
        assert result.stderr.count(TOLD) == 1
        assert [p.name for p in (here / "pictures").iterdir()] == ["predicted.gif"]
        assert only_the_model(stand_in)

    def test_the_folder_in_the_package_by_its_path(self, here, stand_in, prepared):
        place = stand_in / "lungs"
        invoke("evaluate", "--data", prepared, "--model", place)
        assert (here / "evaluation" / "summary.json").is_file()
        assert only_the_model(stand_in)

    def test_a_folder_called_bundled(self, here, stand_in, prepared, run):
        shutil.copytree(run, here / "bundled")
        invoke("evaluate", "--data", prepared, "--model", "./bundled")
        assert (here / "bundled" / "evaluation" / "summary.json").is_file()


class TestFineTuning:
    @pytest.mark.slow
    def test_from_the_bundled_network(self, here, stand_in, prepared):
        (here / "my.toml").write_text('init = "bundled"\nepochs = 1\nbatch-size = 4\n')
        arguments = ["--data", prepared, "--config", "my.toml", "--run", "r"]
        result = invoke("train", *arguments)
        assert "fine-tuning bundled" in result.stderr
        document = json.loads((here / "r" / "model.json").read_text())
        assert document["initial"]["name"] == "bundled"
        assert document["network"]["filters"] == 8
        settings = json.loads((here / "r" / "config.json").read_text())["settings"]
        assert settings["learning_rate"] == 5e-4
        assert only_the_model(stand_in)

    @pytest.mark.parametrize("line", ["init = 3", 'init = ["a", "b"]'])
    def test_a_strange_name_in_the_file(self, here, line):
        (here / "my.toml").write_text(line)
        result = CliRunner().invoke(app, ["train", "--config", "my.toml"])
        assert "init must be a run or a bundled network" in str(result.exception)

    @pytest.mark.parametrize(
        ("line", "option"),
        [
            ('data = "nowhere"', ["--data", "there"]),
            ('run = "nowhere"', ["--run", "there"]),
            ('init = "nowhere"', ["--init", "there"]),
            ("any-convention = true", ["--any-convention"]),
        ],
    )
    def test_what_the_command_line_names_wins(self, here, line, option):
        (here / "my.toml").write_text(line)
        arguments = ["train", "--config", "my.toml", *option]
        result = CliRunner().invoke(app, arguments)
        assert "unknown setting" not in str(result.exception)
        assert "nowhere" not in str(result.exception)
        assert isinstance(result.exception, LungcliError)  # nothing is there

    def test_a_switch_in_the_file_is_true_or_false(self, here):
        (here / "my.toml").write_text('any-convention = "yes"')
        result = CliRunner().invoke(app, ["train", "--config", "my.toml"])
        assert "any-convention must be true or false" in str(result.exception)

    def test_another_shape(self, here, stand_in, prepared):
        arguments = ["train", "--data", str(prepared), "--init", "bundled"]
        result = CliRunner().invoke(app, [*arguments, "--filters", "16"])
        assert "--filters 16 does not fit" in str(result.exception)
        assert not (here / "runs").exists()

    def test_resume_cannot_begin_anew(self, here):
        result = CliRunner().invoke(app, ["train", "--resume", "--init", "bundled"])
        assert "--init cannot change" in str(result.exception)


class TestShipped:
    def test_size(self):
        files = [path for path in models.MODELS.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) <= MOST_BYTES

    def test_every_network_states_its_licence_and_no_path(self):
        for folder in models.bundled_models().values():
            document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            assert document["license"] == "CC-BY-NC-SA-4.0"
            assert not [text for text in texts(document) if Path(text).is_absolute()]

    @pytest.mark.slow
    @pytest.mark.parametrize("name", sorted(models.bundled_models()))
    def test_it_takes_phantoms_for_chests(self, here, name):
        """Trained on X-rays alone: phantoms that look like none would fail."""
        phantoms = {f"{n}.png": write_phantom(here / f"{n}.png", n) for n in range(20)}
        invoke("predict", *phantoms, "--model", name)
        for file, phantom in phantoms.items():
            with Image.open(here / "masks" / file) as mask:
                counts = overlap_by_lung(phantom.labels, np.array(mask))
            assert dice(counts["lungs"]) >= 0.85, file

    @pytest.mark.slow
    def test_the_installed_wheel_predicts(self, here):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        place = here / "installed"
        build = [*pip, "wheel", ROOT, "--no-deps", "--wheel-dir", here / "wheel"]
        subprocess.run(build, check=True, cwd=here)
        (wheel,) = (here / "wheel").glob("lungcli-*.whl")
        install = [*pip, "install", "--no-deps", "--target", place, wheel]
        subprocess.run(install, check=True, cwd=here)
        write_phantom(here / "chest.png")
        code = (
            "import sys, lungcli\n"
            "from lungcli.cli.app import main\n"
            "print(lungcli.__file__)\n"
            "sys.argv = ['lungcli', 'predict', 'chest.png']\n"
            "main()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(place)},
        )
        first = Path(done.stdout.splitlines()[0])
        assert first == place / "lungcli" / "__init__.py"
        assert TOLD in done.stderr
        with Image.open(here / "masks" / "chest.png") as mask:
            labels = np.array(mask)
        right, left = (np.argwhere(labels == label)[:, 1] for label in (1, 2))
        assert min(right.size, left.size) > 0.05 * labels.size
        assert right.mean() < left.mean()  # the patient's right is on the left


def only_the_model(folder):
    """Tell whether nothing was written beside the model."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return names == {"lungs", "lungs/model.json", "lungs/best.weights.h5"}


def texts(document):
    """Yield every text in a JSON document."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        values = document.values() if isinstance(document, dict) else document
        for value in values:
            yield from texts(value)
