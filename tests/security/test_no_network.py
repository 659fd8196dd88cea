"""A whole session asks nobody anything."""

import os
import socket
import subprocess
import sys

import pytest
from PIL import Image

from lungcli.phantom import draw_phantom, write_montgomery

# Sockets between processes of one machine are no network: signals use a pair.
HEARING = """
import socket, sys
talked = []
def hear(event, arguments):
    local = event in ("socket.gethostname", "socket.__new__") and (
        len(arguments) < 2 or arguments[1] == getattr(socket, "AF_UNIX", None))
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.")) and not local:
        talked.append((event, arguments))
sys.addaudithook(hear)
from lungcli.cli.app import main
sys.argv = ["lungcli", *sys.argv[1:]]
try:
    main()
finally:
    print(f"heard {talked}", file=sys.stderr)
"""


@pytest.fixture
def offline(monkeypatch):
    """Refuse every look-up, and every socket that leads out of the machine."""

    class Local(socket.socket):
        def __init__(self, family=socket.AF_INET, *arguments, **options):
            if family != socket.AF_UNIX:
                refuse(family)
            super().__init__(family, *arguments, **options)

    def refuse(*arguments, **options):
        msg = f"somebody talks to {arguments} {options}"
        raise AssertionError(msg)

    monkeypatch.setattr(socket, "socket", Local)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.mark.usefixtures("offline")
def test_a_session_without_sockets(tmp_path, monkeypatch, make_model, invoke):
    monkeypatch.chdir(tmp_path)
    model = make_model(tmp_path / "model")
    write_montgomery(tmp_path / "source", count=4, size=96, workers=1)
    Image.fromarray(draw_phantom(9, 96).image).save(tmp_path / "chest.png")
    invoke("prepare", "source", "--workers", 1)
    invoke(
        *("evaluate", "--model", model, "--split", "all", "--any-convention"),
        *("--out", "scores", "--figures", "svg"),
    )
    invoke(
        *("visualize", "--model", model, "--split", "all", "--out", "pictures", "--gif")
    )
    formats = "png,nifti,rle,coco,npz,overlay,csv"
    invoke("predict", "chest.png", "--model", model, "--format", formats, "--review")
    invoke("info", "--json")
    pages = [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.svg")]
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for scheme in ('src="http', 'href="http', "url(http", "@import", "<script src"):
            assert scheme not in text, (page, scheme)


def test_the_network_that_came_with_lungcli_asks_nobody(tmp_path):
    Image.fromarray(draw_phantom(9, 96).image).save(tmp_path / "chest.png")
    done = subprocess.run(
        [sys.executable, "-c", HEARING, "predict", "chest.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "heard []"


def test_onnxruntime_begins_no_telemetry(tmp_path):
    """It would leave the number of a session in a file `.ses`."""
    program = "import lungcli; lungcli.load_model('bundled')"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert not list(tmp_path.iterdir())
