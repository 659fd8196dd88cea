"""What one call writes, the next does not take for X-rays, and says so."""

import io

import numpy as np
import pytest
from invoking import invoke, table
from PIL import Image

from lungcli.phantom import draw_phantom


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(draw_phantom(seed=1, size=96).image).save("a.png")
    return tmp_path


def names(folder):
    return [row["name"] for row in table(folder / "predictions.csv")]


def test_overlays_and_masks_of_the_first_call(here):
    options = ("--format", "png,overlay,nifti,npz", "--review")
    invoke("predict", ".", "--out", "first", *options)
    result = invoke("predict", ".", "--out", "second", *options)
    assert names(here / "second") == ["a.png"]
    assert "that lungcli predict wrote" in result.stderr


def test_pictures_are_known_by_their_content(here):
    image = Image.fromarray(draw_phantom(seed=2, size=96).image)
    for name in ("b.jfif", "c.jpe", "d.JPEG_old"):
        image.save(here / name, format="JPEG")
    for name in ("e.webp", "f.jp2"):
        (here / name).write_bytes(b"nothing that is read")
    (here / "notes.txt").write_text("nobody looks here")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    (here / "g").write_bytes(buffer.getvalue())
    result = invoke("predict", ".", "--out", "m")
    assert names(here / "m") == ["a.png", "b.jfif", "c.jpe", "d.JPEG_old", "g"]
    assert "1 .jp2, 1 .webp" in result.stderr
    assert ".txt" not in result.stderr


def test_prepare_takes_them_too(here):
    for folder in ("images", "masks"):
        (here / "ward" / folder).mkdir(parents=True)
    for number, suffix in enumerate(("jfif", "jpe", "png", "jpg")):
        phantom = draw_phantom(seed=number, size=96)
        kind = "PNG" if suffix == "png" else "JPEG"
        image = Image.fromarray(phantom.image)
        image.save(here / "ward" / "images" / f"x{number}.{suffix}", format=kind)
        labels = Image.fromarray(phantom.labels.astype(np.uint8))
        labels.save(here / "ward" / "masks" / f"x{number}.png")
    invoke("prepare", "ward", "--size", "64", "--workers", "1", "--no-check")
    rows = table(here / "prepared" / "cases.csv")
    assert [row["case_id"] for row in rows if row["mask"]] == ["x0", "x1", "x2", "x3"]
