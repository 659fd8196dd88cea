"""prepare from and to a real S3-compatible server, over a line that is cut."""

import shutil

import pytest

from lungcli.data.prepared import open_prepared
from lungcli.errors import DatasetError, RemoteError
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


@pytest.fixture(scope="module")
def sources(phantoms, tmp_path_factory):
    """Two sources; one of their masks is missing, and one image is broken."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("one", "two"):
        shutil.copytree(phantoms, folder / name)
    kept = {path.name for path in sorted((phantoms / "CXR_png").iterdir())[:4]}
    for path in folder.rglob("*.png"):
        if path.name not in kept:
            path.unlink()
    first = sorted((folder / "one" / "CXR_png").iterdir())
    first[0].write_bytes(b"no image")
    (folder / "one" / "ManualMask" / "leftMask" / first[1].name).unlink()
    return folder


@pytest.fixture
def bucket(s3, sources):
    for path in sources.rglob("*"):
        if path.is_file():
            s3.put_file(str(path), f"scans/{path.relative_to(sources).as_posix()}")
    return s3


def how(out, **settings):
    return PrepareSettings(out=out, size=64, workers=1, **settings)


def files_of(s3, folder):
    return {
        name.removeprefix(f"{folder}/"): s3.cat_file(name) for name in s3.find(folder)
    }


def test_the_bucket_holds_what_a_local_run_writes(bucket, sources, tmp_path, line):
    local = prepare([sources / "one", sources / "two"], settings=how(tmp_path / "p"))
    line.every, line.most = 30_000, 10
    told = []
    urls = ["s3://scans/one", "s3://scans/two"]
    report = prepare(
        urls,
        settings=how("s3://scans/p"),
        progress=lambda task, done, total: told.append((task, done, total)),
    )
    assert line.num_cuts >= 3
    here = {
        path.relative_to(tmp_path / "p").as_posix(): path.read_bytes()
        for path in (tmp_path / "p").rglob("*")
        if path.is_file()
    }
    assert files_of(bucket, "scans/p") == here
    assert not any(b"lungcli-" in content for content in here.values())
    assert report.sources == local.sources
    paths = [str(finding.path) for finding in report.findings]
    assert paths == [
        str(finding.path).replace(f"{sources}", "s3://scans")
        for finding in local.findings
    ]
    assert str(report.audit_path) == "s3://scans/p/audit.csv"
    tasks = [task for task, _, _ in told]
    assert list(dict.fromkeys(tasks)) == [
        *("fetch", "prepare", "check", "contact sheet", "store"),
    ]
    assert told[0] == ("fetch", 0, told[0][2])
    assert told[-1] == ("store", told[-1][2], told[-1][2])


def test_a_data_set_is_replaced_only_when_told_so(bucket, sources, tmp_path):
    prepare([sources / "two"], settings=how("s3://scans/p"))
    with pytest.raises(DatasetError, match=r"s3://scans/p holds a prepared .* --force"):
        prepare([sources / "one"], settings=how("s3://scans/p"))
    bucket.pipe("scans/p/mine.txt", b"keep")
    prepare(["s3://scans/one"], settings=how("s3://scans/p", force=True))
    prepare([sources / "one"], settings=how(tmp_path / "p"))
    stored = files_of(bucket, "scans/p")
    assert stored.pop("mine.txt") == b"keep"
    here = {
        p.relative_to(tmp_path / "p").as_posix() for p in (tmp_path / "p").rglob("*.*")
    }
    assert set(stored) == here


def test_what_was_cut_off_is_no_data_set_and_may_be_replaced(bucket, sources, line):
    line.barred = "PUT /scans/p/masks/"
    with pytest.raises(RemoteError, match=r"s3://scans/p/masks/.* cannot be stored"):
        prepare([sources / "two"], settings=how("s3://scans/p"))
    assert not bucket.exists("scans/p/dataset.json")
    assert bucket.exists("scans/p/.part-dataset.json")
    line.barred = ""
    prepare([sources / "two"], settings=how("s3://scans/p"))
    assert not bucket.exists("scans/p/.part-dataset.json")
    assert bucket.exists("scans/p/dataset.json")


def test_a_data_set_from_the_bucket_is_one(bucket, sources, tmp_path):
    report = prepare(["s3://scans/two"], settings=how(tmp_path / "p"))
    assert report.out == tmp_path / "p"
    assert open_prepared(tmp_path / "p").cases
    del bucket, sources


def test_other_files_are_not_replaced_and_errors_name_urls(bucket, sources):
    with pytest.raises(DatasetError, match="s3://scans/one holds other files"):
        prepare([sources / "two"], settings=how("s3://scans/one"))
    with pytest.raises(DatasetError, match="no known layout in s3://scans/one/CXR_png"):
        prepare(["s3://scans/one/CXR_png"], settings=how("s3://scans/p"))
    assert bucket.find("scans/p") == []
    with pytest.raises(DatasetError, match="there is no file in s3://scans/none"):
        prepare(["s3://scans/none"], settings=how("s3://scans/p"))
    with pytest.raises(DatasetError, match="s3://scans/one lies in s3://scans"):
        prepare(["s3://scans/one"], settings=how("s3://scans"))
