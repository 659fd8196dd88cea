"""predict from and to a real S3-compatible server, over a line that is cut."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from lungcli.errors import DatasetError, RemoteError
from lungcli.stores import objects as stores
from lungcli.workflows.predicting import output
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings

FORMATS = ("png", "overlay", "csv")


@pytest.fixture(scope="module")
def ward(phantoms, tmp_path_factory):
    """Four X-rays in two folders."""
    folder = tmp_path_factory.mktemp("ward")
    for i, path in enumerate(sorted((phantoms / "CXR_png").iterdir())[:4]):
        place = folder / "east" if i % 2 else folder
        place.mkdir(exist_ok=True)
        shutil.copy(path, place / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def local(ward, tmp_path_factory):
    """What one call on this machine makes of them."""
    out = tmp_path_factory.mktemp("local") / "masks"
    predict([ward], out=out, settings=PredictSettings(formats=FORMATS))
    return out


@pytest.fixture
def bucket(s3, ward):
    """The same X-rays in the bucket."""
    for path in ward.rglob("*.png"):
        s3.put_file(str(path), f"scans/ward/{path.relative_to(ward).as_posix()}")
    s3.pipe("scans/ward/.hidden.png", b"no X-ray")
    s3.pipe("scans/ward/notes.txt", b"no X-ray")
    return s3


def rows_of(text):
    """The rows of predictions.csv without what differs between places and times."""
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        row.pop("seconds")
        row["file"] = row["file"].rpartition("ward/")[2] or row["file"]
    return rows


def assert_same(s3, local, ward):
    """All that is in the bucket is what the local run made."""
    there = {name.removeprefix("scans/masks/") for name in s3.find("scans/masks")}
    here = {p.relative_to(local).as_posix() for p in local.rglob("*") if p.is_file()}
    assert there - {"review.png"} == here
    for name in here:
        stored = s3.cat_file(f"scans/masks/{name}")
        if name.endswith(".png"):
            assert stored == (local / name).read_bytes()
    for name in ("predictions.csv", "measures.csv"):
        stored = s3.cat_file(f"scans/masks/{name}").decode()
        kept = (local / name).read_text().replace(f"{ward}/", "s3://scans/ward/")
        if name == "measures.csv":
            assert stored == kept
        else:
            rows = rows_of(kept.replace("s3://scans/", ""))
            assert rows_of(stored.replace("s3://scans/", "")) == rows


def test_the_bucket_holds_what_a_local_run_writes(bucket, local, ward):
    settings = PredictSettings(formats=FORMATS, review=True)
    done = predict(
        ["s3://scans/ward"], out="s3://scans/masks", settings=settings, collect=True
    )
    assert done.counts == {"ok": 4}
    assert_same(bucket, local, ward)
    document = done.to_dict()
    assert "s3://scans/masks/review.png" in document["paths"]
    assert document["files"][0]["image"] == "s3://scans/ward/0.png"
    assert document["files"][0]["paths"][0] == "s3://scans/masks/0.png"


def test_a_line_that_is_cut_again_and_again_loses_nothing(bucket, local, ward, line):
    line.every, line.most = 20_000, 12
    settings = PredictSettings(formats=FORMATS)
    done = predict(["s3://scans/ward"], out="s3://scans/masks", settings=settings)
    assert line.num_cuts >= 5
    assert done.counts == {"ok": 4}
    assert_same(bucket, local, ward)


@pytest.mark.parametrize(
    "barred", ["GET /scans/ward/east/1", "PUT /scans/masks/east/1"]
)
def test_what_never_gets_through_fails_alone_and_can_be_resumed(
    barred, bucket, local, ward, line
):
    line.barred = barred
    settings = PredictSettings(formats=FORMATS)
    where = {"out": "s3://scans/masks", "settings": settings}
    done = predict(["s3://scans/ward"], **where, collect=True)
    assert done.counts == {"ok": 3, "failed": 1}
    (failed,) = (entry for entry in done.entries if entry.status == "failed")
    assert failed.shown == "s3://scans/ward/east/1.png"
    said = failed.record.error
    assert barred.partition(" /")[2] in said
    assert "go on with --resume" in said
    assert "\n" not in said
    assert line.num_cuts >= 3
    line.barred = ""
    again = PredictSettings(formats=FORMATS, resume=True)
    done = predict(["s3://scans/ward"], **(where | {"settings": again}))
    assert (done.counts, done.skipped) == ({"ok": 4}, 3)
    assert_same(bucket, local, ward)


def test_what_changed_or_went_is_done_again(bucket, local, ward):
    where = {"out": "s3://scans/masks"}
    predict(["s3://scans/ward"], settings=PredictSettings(formats=FORMATS), **where)
    bucket.rm("scans/masks/0.png")
    bucket.pipe("scans/masks/2.png", b"cut")
    first = (ward / "0.png").read_bytes()
    bucket.pipe("scans/ward/east/3.png", first)
    again = PredictSettings(formats=FORMATS, resume=True)
    done = predict(["s3://scans/ward"], settings=again, **where)
    assert done.skipped == 1
    assert bucket.cat_file("scans/masks/0.png") == (local / "0.png").read_bytes()
    assert bucket.cat_file("scans/masks/2.png") == (local / "2.png").read_bytes()
    assert bucket.cat_file("scans/masks/east/3.png") == (local / "0.png").read_bytes()


def test_a_stopped_call_leaves_its_journal_in_the_bucket(bucket, local, ward):
    def stop(entry):
        if entry.stem == "2":
            raise KeyboardInterrupt

    settings = PredictSettings(formats=FORMATS)
    where = {"out": "s3://scans/masks"}
    with pytest.raises(KeyboardInterrupt):
        predict(["s3://scans/ward"], settings=settings, on_entry=stop, **where)
    journal = bucket.cat_file("scans/masks/predictions.jsonl").splitlines()
    assert 2 <= len(journal) < 5
    again = PredictSettings(formats=FORMATS, resume=True)
    done = predict(["s3://scans/ward"], settings=again, **where)
    assert done.skipped == len(journal) - 1
    assert_same(bucket, local, ward)


@pytest.mark.parametrize(
    ("given", "out", "message"),
    [
        ("s3://none/ward", "masks", "s3://none/ward .*no such file, folder or bucket"),
        ("s3://scans/ward", "s3://none", "s3://none/predictions.jsonl .*no such"),
        ("gs://none/ward", "masks", r"pip install 'lungcli\[gcs\]'"),
    ],
)
def test_what_is_wrong_from_the_start_ends_the_call(
    given, out, message, bucket, tmp_path, monkeypatch
):
    del bucket
    pytest.importorskip("s3fs")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RemoteError, match=message):
        predict([given], out=out)


def test_wrong_credentials_end_the_call_and_are_not_shown(monkeypatch, s3, ward):
    del s3
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    stores._connection.cache_clear()
    with pytest.raises(
        RemoteError, match="access is denied: check AWS_PROFILE"
    ) as told:
        predict(["s3://scans/ward"], out="masks")
    with pytest.raises(RemoteError, match="access is denied"):
        predict([ward], out="s3://scans/masks")
    assert "hush" not in str(told.value)


def test_an_output_folder_is_no_input(bucket):
    del bucket
    with pytest.raises(DatasetError, match="holds the input s3://scans/ward"):
        predict(["s3://scans/ward"], out="s3://scans")
    with pytest.raises(DatasetError, match="would be overwritten"):
        predict(["s3://scans/ward/0.png"], out="s3://scans/ward")


def test_the_command_takes_urls_and_tells_no_secret(bucket, tmp_path):
    command = [sys.executable, "-m", "lungcli", "predict", "s3://scans/ward/[02].png"]
    ended = subprocess.run(
        [*command, "--out", "s3://scans/masks", "--json"],
        env=os.environ | {"COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [file["paths"] for file in json.loads(ended.stdout)["files"]]
    assert paths == [["s3://scans/masks/0.png"], ["s3://scans/masks/2.png"]]
    assert list(tmp_path.iterdir()) == []
    written = b"".join(bucket.cat_file(name) for name in bucket.find("scans/masks"))
    assert b"hush" not in written
    assert "hush" not in ended.stdout + ended.stderr


def test_a_run_whose_journal_is_stored_late_still_ends_well(
    bucket, local, ward, monkeypatch
):
    monkeypatch.setattr(output, "_MANY", 1)
    settings = PredictSettings(formats=FORMATS)
    predict(["s3://scans/ward"], out="s3://scans/masks", settings=settings)
    assert_same(bucket, local, ward)
