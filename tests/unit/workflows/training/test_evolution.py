"""The film of a training: one frame an epoch, whatever became of some of them."""

import numpy as np
import pytest
from PIL import Image

from lungcli.model.runs import RunFolder
from lungcli.workflows.training.evolution import Evolution


@pytest.fixture
def evolution(tmp_path):
    """Three frames of noise, which a PNG cannot make small."""
    pixels = np.zeros((1, 16, 16, 1), np.uint8)
    made = Evolution(
        RunFolder(tmp_path), images=pixels, references=pixels, names="a", threshold=0.5
    )
    folder = RunFolder(tmp_path).evolution_frames
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for epoch in (1, 2, 3):
        noise = rng.integers(0, 256, (300, 256, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{epoch:05d}.png")
    return made, folder, RunFolder(tmp_path).evolution


def frames_in(film):
    with Image.open(film) as opened:
        return opened.n_frames


def test_no_frame_is_no_film(evolution):
    made, folder, film = evolution
    for path in folder.iterdir():
        path.unlink()
    made.write_film()
    assert not film.exists()


@pytest.mark.parametrize("share", [0, 0.05, 0.3, 0.5, 0.8])
def test_a_frame_whose_end_never_reached_the_disk_is_left_out(evolution, share):
    """Pillow calls it an OSError; from the second chunk on, a SyntaxError."""
    made, folder, film = evolution
    path = folder / "00002.png"
    content = path.read_bytes()
    kept = int(share * len(content))
    path.write_bytes(content[:kept].ljust(len(content), b"\0"))
    made.write_film()
    assert frames_in(film) == 2
