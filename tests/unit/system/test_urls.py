"""URLs: what is one, what may be shown of it."""

import pickle
from pathlib import Path

import pytest

from lungcli.system.urls import Url, is_url, path_or_url, url_of_path


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("s3://bucket/a@b/c?.png", "s3://bucket/a@b/c?.png"),
        ("s3://key:secret@bucket/a.png", "s3://bucket/a.png"),
        ("sftp://me:secret@host:22/a.png", "sftp://host:22/a.png"),
        ("sftp://me@host/a.png", "sftp://me@host/a.png"),
        ("abfs://container@account/a.png", "abfs://container@account/a.png"),
        ("https://token@host/a.png", "https://host/a.png"),
        ("ftp://token@host/a.png", "ftp://host/a.png"),
        ("s3://AKIA:se/cret@bucket/a.png", "s3://bucket/a.png"),
        ("https://me:pa/ss@host/a.png", "https://host/a.png"),
        ("s3://host:9000/a@b.png", "s3://host:9000/a@b.png"),
        ("az://container/a.png?sv=1&sig=beef", "az://container/a.png"),
        ("https://host/a.png?X-Amz-Signature=beef#x", "https://host/a.png"),
        ("HTTPS://me:secret@host/a.png?sig=beef", "https://host/a.png"),
    ],
)
def test_no_secret_is_shown(whole, shown):
    url = Url(whole)
    assert str(url) == shown
    assert repr(url) == f"Url('{shown}')"
    assert f"{url}" == shown
    assert pickle.loads(pickle.dumps(url)).whole == whole  # noqa: S301 - our own


@pytest.mark.parametrize(
    "text", ["a.png", "C:/a.png", "C://a.png", "/s3:/a", "file:///a.png", "-", "a:b"]
)
def test_a_path_is_no_url(text):
    assert not is_url(text)


def test_what_is_there_is_no_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_url("s3://bucket")
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    assert not is_url("s3://bucket")
    assert path_or_url("s3://bucket") == Path("s3:/bucket")
    assert path_or_url("s3://other") == Url("s3://other")


def test_a_url_has_the_parts_of_a_path():
    url = Url("s3://bucket/ward//east/")
    assert url.parts == ("bucket", "ward", "east")
    assert url.name == "east"
    assert (url / "a.png").whole == "s3://bucket/ward//east/a.png"
    assert Url("s3://bucket/ward/a").parent == Url("s3://bucket/ward")
    assert Url("s3://bucket").parent == Url("s3://bucket")


def test_a_folder_holds_what_lies_below_it_only():
    ward = Url("s3://bucket/ward")
    assert Url("s3://bucket/ward/a").is_within(ward)
    assert ward.is_within(Url("s3://bucket/"))
    assert ward.is_within(Url("s3://bucket/ward/"))
    assert not Url("s3://bucket/ward2").is_within(ward)
    assert not Url("gs://bucket/ward").is_within(ward)


def test_a_path_that_was_meant_as_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert url_of_path(Path("s3://key:secret@bucket/runs")) == "s3://bucket/runs"
    for path in ("runs", "/runs", "C:/runs", "a:b/c", "."):
        assert url_of_path(Path(path)) is None
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    assert url_of_path(Path("s3://bucket")) is None
