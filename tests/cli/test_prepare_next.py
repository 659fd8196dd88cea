"""What `prepare` says to do next can be done; where nothing can, it says so."""

import numpy as np
import pytest
from invoking import fails, invoke
from PIL import Image

from lungcli.phantom import draw_phantom

OPTIONS = ("--size", "64", "--workers", "1", "--no-check")


@pytest.fixture
def ward(tmp_path, monkeypatch):
    """Write X-rays with masks that are called as asked."""
    monkeypatch.chdir(tmp_path)

    def write(count, mask="{}.png"):
        for folder in ("images", "masks"):
            (tmp_path / "ward" / folder).mkdir(parents=True)
        for number in range(count):
            phantom = draw_phantom(seed=number, size=64)
            images = tmp_path / "ward" / "images"
            Image.fromarray(phantom.image).save(images / f"x{number}.png")
            labels = Image.fromarray(phantom.labels.astype(np.uint8))
            labels.save(tmp_path / "ward" / "masks" / mask.format(f"x{number}"))

    return write


@pytest.mark.parametrize("mask", ["task-1-{}.png", "{}_m.png"])
def test_masks_of_no_image(ward, capsys, monkeypatch, tmp_path, mask):
    ward(3, mask)
    error = fails(capsys, monkeypatch, "prepare", "ward", *OPTIONS)
    assert "none of 3 masks is called as one of 3 images" in error
    assert mask.format("x0") in error
    assert "x0.png" in error
    assert "--mask-pattern" in error
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    "mask", ["{}_Mask.png", "{}-mask.png", "{}_SEG.png", "{}@.png"]
)
def test_endings_of_masks(ward, mask):
    ward(4, mask)
    result = invoke("prepare", "ward", *OPTIONS)
    assert "Next: lungcli train\n" in result.output


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_to_validate_on(ward, count):
    ward(count)
    result = invoke("prepare", "ward", *OPTIONS)
    assert "Next: lungcli train --final\n" in result.output


def test_train_names_the_way_out(ward, capsys, monkeypatch):
    ward(2)
    invoke("prepare", "ward", *OPTIONS)
    assert "--final" in fails(capsys, monkeypatch, "train", "--epochs", "1")


def test_images_alone_are_nothing_to_train_on(ward):
    ward(0)
    image = draw_phantom(seed=1, size=64).image
    Image.fromarray(image).save("ward/images/x.png")
    result = invoke("prepare", "ward", *OPTIONS)
    assert "nothing to train on" in result.output
    assert "Next:" not in result.output


def test_what_is_doubtful_of_many_is_said_aloud(ward, tmp_path):
    ward(6)
    for path in sorted((tmp_path / "ward" / "masks").iterdir())[:4]:
        labels = np.asarray(Image.open(path))
        Image.fromarray(np.where(labels == 1, labels, 0).astype(np.uint8)).save(path)
    result = invoke("prepare", "ward", *OPTIONS)
    assert "4 of 6 cases of ward: one lung only. Look at" in result.output
