"""X-rays from a web server: files, presigned links, folders that it lists."""

import functools
import http.server
import threading

import pytest

from lungcli.data.inputs import find_inputs
from lungcli.errors import DatasetError
from lungcli.stores import objects as stores

pytest.importorskip("aiohttp", reason="aiohttp is missing: pip install aiohttp")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The address of a server of two files."""
    folder = tmp_path / "ward"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"aa")
    (folder / "notes.txt").write_bytes(b"n")
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    stores._connection.cache_clear()
    handler = functools.partial(Quiet, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
    stores._connection.cache_clear()


@pytest.mark.parametrize("what", ["ward/a.png?sig=beef", "ward/"])
def test_a_file_or_folder_of_a_web_server_is_read(what, site, tmp_path):
    (item,) = find_inputs([f"{site}/{what}"], stdin=(), out=tmp_path)
    assert item.shown == f"{site}/ward/a.png"
    assert str(item.name) == "a.png"
    state = item.state()
    assert state["size"] == 2
    with item.local() as path:
        assert path.read_bytes() == b"aa"
    assert state == item.state()


def test_a_presigned_link_is_read_and_not_shown(s3, tmp_path):
    s3.pipe("scans/a.png", b"aa")
    link = s3.url("scans/a.png")
    (item,) = find_inputs([link], stdin=(), out=tmp_path)
    assert "Signature" in link
    assert "Signature" not in f"{item}"
    with item.local() as path:
        assert path.read_bytes() == b"aa"


def test_what_is_missing_is_said_without_its_signature(site, tmp_path):
    with pytest.raises(DatasetError, match=r"none\.png is not there") as told:
        find_inputs([f"{site}/none.png?sig=beef"], stdin=(), out=tmp_path)
    assert "beef" not in str(told.value)
