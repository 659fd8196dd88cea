"""`lungcli predict --shard` and `lungcli merge` as a user types them."""

import json

import numpy as np
import pytest
from invoking import fails, invoke, table
from PIL import Image


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with five X-rays in `in`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(5):
        pixels = np.full((64, 64), 40 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{number}.png")
    return tmp_path


def test_shards_and_their_merge(here, run, capsys, monkeypatch):
    invoke("predict", "in", "--model", run, "--shard", "2/2")
    assert len(table(here / "masks" / "predictions.2-of-2.csv")) == 2
    line = fails(capsys, monkeypatch, "merge", "masks")
    assert "missing: 1/2. Name their folders, too" in line
    invoke("predict", "in", "--model", run, "--shard", "1/2")
    result = invoke("merge", "masks")
    assert "5 of 5 X-rays labelled" in result.stdout
    names = [row["name"] for row in table(here / "masks" / "predictions.csv")]
    assert names == [f"{number}.png" for number in range(5)]
    document = json.loads(invoke("merge", "masks", "--json", "-o", "all").stdout)
    assert len(document["files"]) == 5
    assert (here / "all" / "4.png").is_file()


def test_a_failure_has_the_exit_status_of_predict(here, run):
    (here / "in" / "2.png").write_text("no image")
    for shard, status in (("1/2", 3), ("2/2", 0)):
        invoke("predict", "in", "--model", run, "--shard", shard, status=status)
    assert "4 of 5" in invoke("merge", "masks", status=3).stdout


def test_a_shard_that_has_got_worse_takes_its_mask_along(here, run):
    for shard in ("1/2", "2/2"):
        out = shard[0]
        invoke("predict", "in", "--model", run, "--shard", shard, "--out", out)
    invoke("merge", "1", "2", "--out", "all")
    assert (here / "all" / "2.png").is_file()
    (here / "in" / "2.png").write_text("no image")
    repeated = ("--shard", "1/2", "--out", "1", "--resume")
    invoke("predict", "in", "--model", run, *repeated, status=3)
    invoke("merge", "1", "2", "--out", "all", status=3)
    assert not (here / "all" / "2.png").exists()
    assert (here / "all" / "3.png").is_file()


@pytest.fixture
def part(here, run):
    """The journal of one part of one, as lines that a test may change."""
    invoke("predict", "in", "--model", run, "--shard", "1/2", "--format", "png,rle,csv")
    invoke("predict", "in", "--model", run, "--shard", "2/2", "--format", "png,rle,csv")
    return here / "masks" / "predictions.1-of-2.jsonl"


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.update(outputs={"../evil.png": 4}),
        lambda entry: entry.update(outputs={"other.png": 4}),
        lambda entry: entry.update(stem="../x", outputs={"../x.png": 4}),
        lambda entry: entry.update(status="wonderful"),
        lambda entry: entry["record"].pop("name"),
        lambda entry: entry["record"].update(rle=5),
        lambda entry: entry["record"].update(doubts=7),
        lambda entry: entry["record"].update(spacing_mm=[1]),
    ],
)
def test_a_journal_that_predict_does_not_write(part, change, capsys, monkeypatch):
    (part.parent.parent / "evil.png").write_text("evil")
    header, first, *rest = part.read_text().splitlines()
    entry = json.loads(first)
    change(entry)
    part.write_text("\n".join([header, json.dumps(entry), *rest, ""]))
    line = fails(capsys, monkeypatch, "merge", "masks", "--out", "all")
    assert "not written by this version" in line
    assert sorted(path.name for path in part.parent.parent.iterdir()) in (
        ["evil.png", "in", "masks"],
        ["all", "evil.png", "in", "masks"],
    )


@pytest.mark.parametrize(
    "change",
    [{"inputs": [-5, "x"]}, {"inputs": 3}, {"formats": 5}, {"formats": ["exe"]}],
)
def test_a_header_that_predict_does_not_write(part, change, capsys, monkeypatch):
    header, *rest = part.read_text().splitlines()
    document = json.loads(header)
    document["settings"] |= change
    part.write_text("\n".join([json.dumps(document), *rest, ""]))
    line = fails(capsys, monkeypatch, "merge", "masks")
    assert "not written by this version" in line


def test_a_million_of_millions_takes_no_memory(part, capsys, monkeypatch):
    for path in part.parent.glob("*.jsonl"):
        header, *rest = path.read_text().splitlines()
        document = json.loads(header)
        document["settings"]["inputs"][0] = 10**12
        path.write_text("\n".join([json.dumps(document), *rest, ""]))
    assert "is not finished" in fails(capsys, monkeypatch, "merge", "masks")


def test_a_mask_that_is_a_link_is_not_followed(part, here, capsys, monkeypatch):
    mask = part.parent / "0.png"
    mask.rename(here / "elsewhere.png")
    mask.symlink_to(here / "elsewhere.png")
    line = fails(capsys, monkeypatch, "merge", "masks", "--out", "all")
    assert "lacks an output" in line


def test_merge_works_on_disks(here, capsys, monkeypatch):
    line = fails(capsys, monkeypatch, "merge", "s3://key:secret@bucket/masks")
    assert "download s3://bucket/masks first" in line


def test_what_is_no_shard_is_a_usage_error(here):
    said = invoke("predict", "in", "--shard", "2", status=2).output
    assert "--shard" in said
    assert "2/3" in said


def test_what_is_no_cluster_is_a_usage_error(here):
    for command in ("predict", "prepare"):
        said = invoke(command, "in", "--cluster", "head", status=2).output
        assert "take local, auto" in said
