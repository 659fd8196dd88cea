import json
import os

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from lungcli.cli.prepare import prepare

app = typer.Typer()
app.command()(prepare)


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for index in range(4):
        for folder in ("images", "masks"):
            path = tmp_path / "set" / folder / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            array = rng.integers(0, 255, (64, 48), dtype=np.uint8)
            if folder == "masks":
                array = np.zeros((64, 48), np.uint8)
                array[10:50, 5:20] = array[10:50, 28:43] = 255
            Image.fromarray(array).save(path)
    (tmp_path / "set" / "masks" / "3.png").unlink()
    return tmp_path / "set"


def run(*arguments):
    options = ("--workers", "1", "--no-check")  # noise is no chest
    return CliRunner().invoke(app, [*map(str, arguments), *options])


def test_ends_with_tables_paths_and_the_next_command(source):
    result = run(source)
    assert result.exit_code == 0, result.output
    for text in ("set", "no mask", "3.png", "prepared/audit.csv", "lungcli train\n"):
        assert text in result.output
    assert "--convention" in result.stderr


def test_other_folder_is_passed_on(source):
    assert "lungcli train --data elsewhere" in run(source, "--out", "elsewhere").stdout


def test_next_command_can_be_copied(source):
    result = run(source, "--out", "my :x: data")
    assert "lungcli train --data 'my :x: data'" in result.stdout
    assert "my :x: data/cases.csv" in result.stdout


def test_names_that_are_not_utf8_are_shown(source, tmp_path):
    out = tmp_path / os.fsdecode(b"pr\xe9")
    result = run(source, "--out", out)
    assert result.exit_code == 0, result.output
    assert r"pr\udce9/cases.csv" in result.stdout


def test_a_list_of_other_cases_is_noted(source, tmp_path):
    (tmp_path / "splits.csv").write_text("case_id,split\nelsewhere,train\n")
    result = run(source, "--splits", "splits.csv")
    assert result.exit_code == 0
    assert "note: splits.csv lists none of the cases with mask" in result.stderr


def test_json_is_alone_on_stdout(source):
    result = run(source, "--json", "--convention", "heart-excluded")
    document = json.loads(result.stdout)
    assert document["convention"] == "heart-excluded"
    assert document["sources"]["set"]["no_mask"] == 1
    assert document["findings"][0]["issue"] == "no mask"
    assert result.stderr == ""


def test_strict_writes_and_fails(source, tmp_path):
    result = run(source, "--strict")
    assert result.exit_code == 1
    assert "the audit found 1" in result.stderr
    assert "prepared/audit.csv" in result.stderr
    assert (tmp_path / "prepared" / "audit.csv").is_file()


def test_strict_is_content_with_clean_data(source):
    (source / "images" / "3.png").unlink()
    assert run(source, "--strict").exit_code == 0


def test_a_pattern_and_what_it_leaves_alone(source, tmp_path):
    (source / "masks" / "0.png").rename(tmp_path / "set" / "0-lungs.png")
    (source / "masks" / "1.png").rename(tmp_path / "set" / "0-aorta.png")
    (source / "masks" / "2.png").unlink()
    result = run(source, "--mask-pattern", "{stem}-{structure}.png")
    assert result.exit_code == 0, result.output
    assert "set: aorta: masks left alone" in " ".join(result.stderr.split())


def test_a_wrong_pattern(source):
    result = run(source, "--mask-pattern", "*.png")
    assert "must hold {stem}" in str(result.exception)
