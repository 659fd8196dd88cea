"""Parts of `predict`, and their merge: together they equal one run."""

import csv
import json
import os
import shutil
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lungcli.errors import ConfigError, DatasetError
from lungcli.phantom import draw_phantom
from lungcli.workflows.merging.merge import merge
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.predicting.shards import WHOLE, Shard

FORMATS = ("png", "rle", "coco", "csv")


class TestShard:
    @given(st.integers(1, 40), st.integers(0, 100))
    def test_parts_hold_each_x_ray_once_and_are_even(self, count, total):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        shares = [shard.share(range(total)) for shard in shards]
        assert sorted(sum(shares, ())) == list(range(total))
        sizes = [len(share) for share in shares]
        assert max(sizes) - min(sizes) <= 1
        for shard, share in zip(shards, shares, strict=True):
            assert [shard.index(i) for i in range(len(share))] == list(share)

    @pytest.mark.parametrize("text", ["2/3", " 2/3 "])
    def test_text(self, text):
        assert Shard.parse(text) == Shard(2, 3)
        assert str(Shard(2, 3)) == "2/3"

    @pytest.mark.parametrize("text", ["", "2", "2/", "/3", "-1/3", "1.0/3", "1/2/3"])
    def test_no_shard(self, text):
        with pytest.raises(ConfigError, match=r"which part of how many, like 2/3"):
            Shard.parse(text)

    @pytest.mark.parametrize("text", ["0/3", "4/3", "1/0"])
    def test_a_part_that_is_not_there(self, text):
        with pytest.raises(ConfigError, match=r"there is no such part\. Take 1/"):
            Shard.parse(text)

    def test_all_is_as_without(self):
        assert Shard.parse("1/1") == WHOLE
        assert WHOLE.named("rle.csv") == "rle.csv"
        assert WHOLE.conditions([PurePosixPath("a")]) == {}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Eight small X-rays, one of them broken."""
    folder = tmp_path_factory.mktemp("films") / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(7):
        place = folder / "deep" if number % 2 else folder
        Image.fromarray(draw_phantom(number, 96).image).save(place / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def parts(films, tmp_path_factory):
    """One run, three parts apart, and three parts in one folder."""
    root = tmp_path_factory.mktemp("parts")
    label(films, root / "one")
    for number in (1, 2, 3):
        label(films, root / f"part{number}", f"{number}/3")
        label(films, root / "same", f"{number}/3")
    return root


@pytest.fixture
def here(parts, tmp_path, monkeypatch):
    """A copy to work on, as the current folder."""
    shutil.copytree(parts, tmp_path / "parts")
    monkeypatch.chdir(tmp_path / "parts")
    return tmp_path / "parts"


def label(films, out, shard="1/1", formats=FORMATS, *, resume=False):
    settings = PredictSettings(formats=formats, shard=Shard.parse(shard), resume=resume)
    return predict([films], settings=settings, out=out)


def results(folder):
    """Return all that one run writes, but for how long it took."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "-of-" not in path.name
    }
    rows = list(csv.reader(found.pop("predictions.csv").decode().splitlines()))
    column = rows[0].index("seconds")
    lines = [json.loads(line) for line in found.pop("predictions.jsonl").splitlines()]
    for line in lines[1:]:
        line["record"]["seconds"] = 0
    return found, [[*row[:column], *row[column + 1 :]] for row in rows], lines


FOLDERS = [Path("part3"), Path("part1"), Path("part2")]


class TestMerge:
    def test_parts_in_three_folders_equal_one_run(self, here, films):
        merged = merge(FOLDERS)
        assert results(here / "masks") == results(here / "one")
        assert (merged.total, merged.labelled) == (8, 7)
        assert [path.name for path in merged.paths] == [
            "predictions.csv",
            "rle.csv",
            "coco.json",
            "measures.csv",
        ]
        assert label(films, here / "masks", resume=True).skipped == 7

    def test_parts_in_one_folder_equal_one_run(self, here, films):
        merged = merge([Path("same")])
        assert results(here / "same") == results(here / "one")
        assert merged.out == Path("same")
        assert label(films, here / "same", resume=True).skipped == 7
        assert merge([Path("same"), here / "same"], out=Path("same")).total == 8

    def test_more_parts_than_x_rays(self, here, films):
        for number in range(1, 11):
            label(films, here / "ten", f"{number}/10")
        merge([Path("ten")])
        assert results(here / "ten") == results(here / "one")

    def test_another_disk(self, here, monkeypatch):
        def refuse(*paths):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)
        merge(FOLDERS, out=Path("copied"))
        assert results(here / "copied") == results(here / "one")
        assert (here / "copied" / "0.png").stat().st_nlink == 1

    def test_every_x_ray_is_returned_if_wanted(self, here):
        merged = merge(FOLDERS, collect=True)
        assert [entry.index for entry in merged.entries] == list(range(8))


class TestRefusals:
    def test_a_part_that_is_missing(self, here):
        message = r"3 parts belong together; missing: 1/3, 2/3\. .* --shard 1/3\.$"
        with pytest.raises(DatasetError, match=message):
            merge([Path("part3")])
        assert not (here / "part3" / "predictions.jsonl").exists()

    def test_a_part_that_is_there_twice(self, here):
        shutil.copytree("part1", "copy")
        message = r"part 1/3 in part1 and in copy: leave one"
        with pytest.raises(DatasetError, match=message):
            merge([*FOLDERS, Path("copy")])

    def test_a_part_that_is_not_finished(self, here):
        journal = here / "part2" / "predictions.2-of-3.jsonl"
        before = journal.read_bytes()[:-10]  # the last line is torn
        journal.write_bytes(before)
        message = (
            r"part 2/3 in part2 is not finished: 1 of its 3 X-rays are missing\. "
            r"Repeat its command with --shard 2/3 --resume\."
        )
        with pytest.raises(DatasetError, match=message):
            merge(FOLDERS)
        assert journal.read_bytes() == before

    def test_an_output_that_is_gone(self, here):
        gone = next((here / "part1").rglob("*.png"))
        gone.write_bytes(b"")
        with pytest.raises(DatasetError, match=r"part 1/3 in part1 lacks an output of"):
            merge(FOLDERS)

    def test_other_settings(self, here, films):
        label(films, here / "part2", "2/3", ("png",))
        message = (
            r"made in different ways: formats is \['coco'.* and \['png'\]\. Do one"
        )
        with pytest.raises(ConfigError, match=message):
            merge(FOLDERS)

    def test_another_number_of_parts(self, here, films):
        label(films, here / "part2", "2/4")
        message = r"part 3/3 in part3 and part 2/4 in part2 do not belong together"
        with pytest.raises(ConfigError, match=message):
            merge(FOLDERS)

    def test_other_x_rays(self, here, films):
        label(films / "deep", here / "part2", "2/3")
        message = r"are of different X-rays \(8 and 3 in all\)"
        with pytest.raises(ConfigError, match=message):
            merge(FOLDERS)

    def test_to_resume_a_part_of_other_x_rays(self, here, films):
        with pytest.raises(ConfigError, match="inputs was"):
            label(films / "deep", here / "part2", "2/3", resume=True)

    def test_no_part(self, here):
        with pytest.raises(DatasetError, match="no part of a prediction in one"):
            merge([Path("one")])
        with pytest.raises(DatasetError, match=r"cannot read nowhere \(No such file"):
            merge([Path("nowhere")])

    @pytest.mark.parametrize("settings", [{}, {"shard": "1/3", "inputs": 3}])
    def test_a_journal_of_another_version(self, here, settings):
        header = {"format": 1, "settings": settings}
        path = here / "part1" / "predictions.1-of-3.jsonl"
        path.write_text(json.dumps(header) + "\n")
        with pytest.raises(DatasetError, match="not written by this version"):
            merge(FOLDERS)

    def test_no_review_of_a_part(self):
        with pytest.raises(ConfigError, match="merge the parts, then"):
            PredictSettings(review=True, shard=Shard(1, 2))
