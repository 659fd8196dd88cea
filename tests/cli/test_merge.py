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


def test_what_is_no_shard_is_a_usage_error(here):
    assert "like 2/3" in invoke("predict", "in", "--shard", "2", status=2).output


def test_what_is_no_cluster(here, capsys, monkeypatch):
    for command in ("predict", "prepare"):
        line = fails(capsys, monkeypatch, command, "in", "--cluster", "head")
        assert "take local, auto or ray://HOST:PORT" in line
