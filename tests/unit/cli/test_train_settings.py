"""Options of a training, a file, and the defaults: who decides what."""

from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lungcli.cli import train as command
from lungcli.cli.app import app
from lungcli.cli.train_settings import GivenSettings, TrainFiles
from lungcli.model.config import TrainConfig

ALL = TrainConfig(
    arch="unet",
    size=128,
    filters=4,
    depth=2,
    normalization="none",
    head="cells",
    structures="lungs,heart",
    epochs=3,
    batch_size=5,
    learning_rate=0.5,
    schedule="plateau",
    weight_decay=0.25,
    strength=0.75,
    patience=6,
    keep="last",
    precision="float32",
    tensorboard=True,
    seed=7,
    deterministic=True,
    devices=2,
)


@pytest.fixture
def asked(monkeypatch):
    """Return a function that tells what a command line asks for."""

    def ask(*arguments):
        found = []
        monkeypatch.setattr(
            command, "_begin", lambda *args, **named: found.extend(args)
        )
        result = CliRunner().invoke(app, ["train", *map(str, arguments)])
        assert result.exit_code == 0, result.output
        return found

    return ask


def flags(config):
    """Return the options that set all of it."""
    for name, value in config.to_dict().items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield value


def test_every_setting_can_be_given():
    kinds = {field.name: field.type for field in fields(TrainConfig)}
    assert {field.name: field.type for field in fields(GivenSettings)} == {
        name: kind | None for name, kind in kinds.items()
    }


def test_every_option_is_passed_on(asked):
    differ = [
        name for name, v in TrainConfig().to_dict().items() if v != ALL.to_dict()[name]
    ]
    assert len(differ) == len(fields(TrainConfig))
    _, settings = asked(*flags(ALL))
    assert settings == ALL


def test_options_win_over_the_file_and_it_over_the_defaults(asked, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(
        'epochs = 9\nseed = 4\ndata = ["a", "b"]\nrun = "r"\nany-convention = true\n'
    )
    files, settings = asked("--config", path, "--seed", 0, "--run", "own")
    assert settings == TrainConfig(epochs=9, seed=0)
    assert files == TrainFiles(
        data=[Path("a"), Path("b")], run=Path("own"), any_convention=True
    )


def test_nothing_is_given(asked):
    assert asked() == [TrainFiles(), TrainConfig()]
