"""A training says how fast it was, also after a resume."""

import json

import pytest
from typer.testing import CliRunner

from lungcli.cli.app import app

TINY = ["--arch", "unet", "--size", "32", "--filters", "4", "--depth", "1"]


def train(*arguments):
    result = CliRunner().invoke(app, ["train", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
def test_speed(tmp_path, monkeypatch, prepared):
    monkeypatch.chdir(tmp_path)
    text = train(
        "--data", prepared, "--epochs", 2, "--batch-size", 4, "--run", "r", *TINY
    )
    assert " images/s, " in text
    assert "limited by " in text
    resumed = json.loads(train("--resume", "--epochs", 3, "--json"))
    assert resumed["images_per_second"] > 0
    assert resumed["seconds_per_epoch"] > 0
    assert 0 <= resumed["input_share"] <= 1
    assert resumed["limited_by"] in ("input", "computing")
    assert resumed["hardware"].endswith(("(float32)", "(bfloat16)"))
    nothing_to_do = json.loads(train("--resume", "--json"))
    assert nothing_to_do["images_per_second"] is None
