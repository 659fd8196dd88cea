"""The whole corpus through the commands: nothing stops the rest, nobody is silent."""

import csv
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_input import archives, dicoms, folders, masks, tables
from bad_input.specimen import phantom, save
from PIL import Image
from running import lungcli
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.errors import LungcliError

MOST_MB = 2000
MOST_SECONDS = 10  # for one file
WITHOUT_IMAGES = ("only-nested", "many", "end-only")


def table(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def check_quiet(finished):
    """Nobody may see what only a programmer understands, or a patient's name."""
    for text in (finished.stdout, finished.stderr):
        assert "Traceback" not in text
        assert "Warning" not in text
        assert dicoms.SECRET not in text
    assert finished.most_mb < MOST_MB


@pytest.mark.slow
def test_predict_takes_the_whole_corpus(tmp_path):
    made = folders.write_images(tmp_path / "corpus")
    folders.write_odd_places(tmp_path / "corpus")
    packed = archives.specimens()
    for name in WITHOUT_IMAGES:  # named, they stop the call
        del packed[name]
    for name, (content, _) in packed.items():
        (tmp_path / f"{name}.zip").write_bytes(content)
    zips = [f"{name}.zip" for name in packed]
    finished = lungcli("predict", "corpus", *zips, "--out", "masks", folder=tmp_path)
    assert finished.status == 3, finished.stderr
    check_quiet(finished)
    rows = table(tmp_path / "masks" / "predictions.csv")
    by_name = {Path(row["file"]).name: row for row in rows if "corpus/" in row["file"]}
    for name, specimen in made.items():
        check_row(by_name[name], specimen)
        if by_name[name]["error"]:
            assert name in by_name[name]["error"]
    assert by_name[f"{folders.LONG}.png"]["status"] != "failed"
    assert by_name["caf\\udce9.png"]["status"] != "failed"
    for name, (_, says) in packed.items():
        of_archive = [row for row in rows if row["file"].startswith(f"{name}.zip")]
        errors = "".join(row["error"] for row in of_archive)
        assert of_archive
        assert bool(errors) == bool(says)
        assert re.search(says, errors)
    assert max(float(row["seconds"]) for row in rows) < MOST_SECONDS


def check_row(row, specimen):
    if specimen.pixels is not None:
        assert row["status"] in {"ok", "doubtful"}, row
        size = int(row["height"]), int(row["width"])
        assert size == specimen.pixels.shape
    elif specimen.says:
        assert row["status"] == "failed", row
        assert re.search(specimen.says, row["error"])


@pytest.mark.slow
def test_prepare_audits_the_whole_corpus(tmp_path):
    pictures, drawn = folders.write_source(tmp_path / "source")
    folders.write_odd_places(tmp_path / "source" / "images")
    options = ("--size", "64", "--keep-names")
    finished = lungcli("prepare", "source", *options, folder=tmp_path)
    assert finished.status == 0, finished.stderr
    check_quiet(finished)
    cases = {row["case_id"]: row for row in table(tmp_path / "prepared" / "cases.csv")}
    findings = table(tmp_path / "prepared" / "audit.csv")
    said = {row["path"]: row for row in findings if row["issue"] == "unreadable"}
    for name, specimen in pictures.items():
        path = f"images/{name}"
        if specimen.pixels is not None:
            assert path not in said
            assert Path(name).stem in cases
        elif specimen.says:
            assert path in said or "small" in specimen.says
            assert Path(name).stem not in cases
    for name, specimen in drawn.items():
        case = cases[Path(name).stem]
        if specimen.says:
            assert f"masks/{name}" in said
            assert case["mask"] == ""
        if specimen.labels is not None and specimen.labels.any():
            check_reference(tmp_path / "prepared" / case["reference"], specimen)
    shown = {"itself.png", "nowhere.png", "pipe.png", "device.png", "folder.png"}
    assert shown <= {Path(path).name for path in said}


def check_reference(path, specimen):
    with Image.open(path) as image:
        wrong = np.count_nonzero(np.array(image) != specimen.labels)
    assert wrong <= specimen.most_wrong


@pytest.mark.slow
def test_evaluate_scores_what_can_be_scored(tmp_path):
    picture = save(phantom()[1], "PNG")
    for folder in ("predicted", "reference"):
        (tmp_path / folder).mkdir()
    for each in masks.specimens():
        (tmp_path / "predicted" / each.name).write_bytes(each.content)
        stem = Path(each.name).stem
        (tmp_path / "reference" / f"{stem}.png").write_bytes(picture)
    for name in ("pipe", "device"):
        (tmp_path / "reference" / f"{name}.png").write_bytes(picture)
    os.mkfifo(tmp_path / "predicted" / "pipe.png")
    (tmp_path / "predicted" / "device.png").symlink_to("/dev/zero")
    (tmp_path / "predicted" / "around").symlink_to(tmp_path)
    finished = lungcli(
        "evaluate", "--predicted", "predicted", "--reference", "reference",
        "--out", "scores", folder=tmp_path,
    )  # fmt: skip
    assert finished.status == 3, finished.stderr
    check_quiet(finished)
    scored = {row["case_id"] for row in table(tmp_path / "scores" / "cases.csv")}
    for each in masks.specimens():
        assert (Path(each.name).stem in scored) == (each.labels is not None) or (
            each.name == "mask-full.png"
        )
        if each.says:
            assert each.name in finished.stderr
    assert "pipe.png" in finished.stderr
    assert "device.png" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["predict", "no-such.png"], 1, "no-such.png", id="missing"),
        pytest.param(["predict", "bad.png"], 1, "bad.png", id="broken"),
        pytest.param(["predict", "pipe.png"], 1, "pipe.png", id="pipe"),
        pytest.param(["predict", "/dev/zero"], 1, "/dev/zero", id="device"),
        pytest.param(["prepare", "bad.png"], 1, "bad.png is a file", id="no folder"),
        pytest.param(
            ["train", "--config", "pipe.png"], 1, "pipe.png", id="settings of a pipe"
        ),
        pytest.param(["predict", "good.png", "--no-such"], 2, "--no-such", id="use"),
    ],
)
def test_exit_status_of_one(tmp_path, arguments, status, says):
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "good.png").write_bytes(save(phantom()[0], "PNG"))
    os.mkfifo(tmp_path / "pipe.png")
    finished = lungcli(*arguments, folder=tmp_path)
    assert finished.status == status, finished.stderr
    assert says in finished.stderr
    check_quiet(finished)


def refused(*arguments):
    """Run a command in this process; return what its error says."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, LungcliError), result.output
    return str(result.exception)


USERS = {
    "evaluate": ["--model", "bundled"],
    "visualize": ["--model", "bundled"],
    "stress": ["--model", "bundled"],
    "augment-preview": [],
    "train": [],
}


@pytest.mark.parametrize("command", USERS)
@pytest.mark.parametrize("damage", ["climbs", "side-huge", "short", "text"])
def test_damaged_data_sets(command, damage, copy_of_prepared, monkeypatch):
    text, says = tables.damaged_tables()[damage]
    (copy_of_prepared / "cases.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(copy_of_prepared.parent)
    said = refused(command, "--data", "prepared", *USERS[command])
    assert re.search(says, said), said
    assert "prepared/cases.csv" in said


@pytest.mark.parametrize("command", USERS)
@pytest.mark.parametrize("damage", ["nested", "infinite", "size-huge"])
def test_damaged_facts(command, damage, copy_of_prepared, monkeypatch):
    text, says = tables.damaged_facts()[damage]
    (copy_of_prepared / "dataset.json").write_text(text)
    monkeypatch.chdir(copy_of_prepared.parent)
    said = refused(command, "--data", "prepared", *USERS[command])
    assert re.search(says, said), said
    assert "prepared/dataset.json" in said


@pytest.mark.parametrize("name", ["nonsense", "nested", "unknown", "nan", "huge"])
def test_train_with_bad_settings(name, copy_of_prepared):
    content, says = tables.configs()[name]
    path = copy_of_prepared / f"{name}.toml"
    path.write_bytes(content)
    said = refused("train", "--data", copy_of_prepared, "--config", path)
    assert re.search(says, said), said
    assert str(path) in said


@pytest.mark.parametrize("name", ["duplicates", "nul", "cell-of-10-mb", "zip"])
def test_prepare_with_bad_splits(name, phantoms, tmp_path):
    content, says = tables.split_lists()[name]
    path = tmp_path / f"{name}.csv"
    path.write_bytes(content)
    said = refused("prepare", phantoms, "--splits", path, "--out", tmp_path / "out")
    assert re.search(says, said), said
    assert str(path) in said


def test_formulas_do_not_reach_a_spreadsheet(phantoms, tmp_path):
    source = tmp_path / "=1+1"
    (source / "images").mkdir(parents=True)
    (source / "masks").mkdir()
    for image in sorted((phantoms / "CXR_png").iterdir())[:3]:
        name = f"@{image.name}"
        shutil.copy(image, source / "images" / name)
        with Image.open(phantoms / "ManualMask" / "leftMask" / image.name) as mask:
            mask.save(source / "masks" / name)
    row = f"{tables.FORMULA!r}".replace("'", '"').replace('"', '""')
    names = [path.stem for path in (source / "images").iterdir()]
    lines = "".join(f'{name},"{row}"\n' for name in names)
    (source / "cases.csv").write_text(f"case_id,finding\n{lines}")
    out = tmp_path / "prepared"
    result = CliRunner().invoke(app, ["prepare", str(source), "--out", str(out)])
    assert result.exit_code == 0, result.output
    for path in (out / "cases.csv", out / "audit.csv"):
        for cells in table(path):
            assert not any(cell.startswith(("=", "@")) for cell in cells.values())
