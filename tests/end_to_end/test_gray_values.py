"""Laws of the network in the package: what becomes of the gray values matters little.

Each X-ray is changed in one way, and its mask compared with that of the unchanged one.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from lungcli.checks.gate import Gate
from lungcli.data.levels import levels_of_middle
from lungcli.data.read_xray import read_xray
from lungcli.data.xray import Xray
from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting.doubts import examine
from lungcli.workflows.shared.inference import load_model

MEAN, WORST = 0.985, 0.96
BORDER = 0.12  # of a side
SMALL_BORDER = 0.06


class Changed(NamedTuple):
    """A changed X-ray, and the part of it that still shows what it showed."""

    image: np.ndarray
    visible: np.ndarray


def gray(table) -> Callable[[np.ndarray], Changed]:
    """Change gray values, from an image's lowest to its highest in [0, 1]."""

    def change(image):
        low, high = float(image.min()), float(image.max())
        changed = np.rint(255 * table((image - low) / (high - low))).astype(np.uint8)
        return Changed(changed, np.ones(image.shape, np.bool_))

    return change


def squeezed(low, high):
    return gray(lambda x: (low + x * (high - low)) / 255)


def marked(image, value, *, share, low, high):
    """Squeeze, and burn a plate of a share of the image into the upper right corner."""
    changed = squeezed(low, high)(image).image
    height, width = image.shape
    rows, columns = round(0.4 * share**0.5 * height), round(2.5 * share**0.5 * width)
    changed[:rows, -columns:] = value
    visible = np.ones(image.shape, np.bool_)
    visible[:rows, -columns:] = False
    return Changed(changed, visible)


def framed(image, top, bottom, left, right, *, share=BORDER):
    """Lay borders of gray values over the image; None leaves a side free."""
    changed, visible = image.copy(), np.ones(image.shape, np.bool_)
    rows, columns = (round(share * length) for length in image.shape)
    parts = (np.s_[:rows], np.s_[-rows:], np.s_[:, :columns], np.s_[:, -columns:])
    for part, value in zip(parts, (top, bottom, left, right), strict=True):
        if value is not None:
            changed[part], visible[part] = value, False
    return Changed(changed, visible)


def around(image, value):
    """Put the whole image into a frame: nothing of it is hidden."""
    rows, columns = (round(BORDER * length) for length in image.shape)
    pads = ((rows, rows), (columns, columns))
    visible = np.pad(np.ones(image.shape, np.bool_), pads)
    return Changed(np.pad(image, pads, constant_values=value), visible)


LAWS = {
    "16 levels, dark": squeezed(0, 15),
    "16 levels in the middle": squeezed(120, 135),
    "16 levels, bright": squeezed(240, 255),
    "64 levels": squeezed(30, 93),
    "as bright as seven of JSRT": squeezed(197, 255),
    "gamma 0.4": gray(lambda x: x**0.4),
    "gamma 2.5": gray(lambda x: x**2.5),
    "white marker": lambda x: marked(x, 255, share=0.005, low=30, high=110),
    "white marker, 32 levels": lambda x: marked(x, 255, share=0.005, low=30, high=61),
    "black marker": lambda x: marked(x, 0, share=0.005, low=150, high=181),
    "white plate": lambda x: marked(x, 255, share=0.03, low=0, high=255),
    "black plate": lambda x: marked(x, 0, share=0.03, low=0, high=255),
    "white plate, 32 levels": lambda x: marked(x, 255, share=0.03, low=30, high=61),
    "white frame around": lambda x: around(x, 255),
    "black frame around": lambda x: around(x, 0),
    "white shutters": lambda x: framed(x, None, None, 255, 255),
    "black shutters": lambda x: framed(x, None, None, 0, 0),
    "white and black": lambda x: framed(x, 255, 0, 255, 0, share=SMALL_BORDER),
    "lead apron": lambda x: framed(x, None, 255, None, None, share=1 / 9),
}


@pytest.fixture(scope="module")
def lungs():
    return load_model("bundled")


@pytest.fixture(scope="module")
def phantoms():
    return [draw_phantom(seed=seed, size=512).image for seed in range(8)]


@pytest.fixture(scope="module")
def real(real_data):
    files = [
        *sorted((real_data / "MontgomerySet/CXR_png").glob("*.png"))[::14],
        *sorted((real_data / "ChinaSet_AllFiles/CXR_png").glob("*.png"))[::70],
        *sorted((real_data / "jsrt-scr/images").glob("*.jpg"))[::25],
        *sorted((real_data / "wingspan/images").glob("*.png"))[::17],
    ]
    images = [read_xray(file).pixels for file in files]
    # seven of JSRT came with few gray values: of a quarter of them little is left
    return [image for image in images if np.subtract(*levels_of_middle(image)) < -64]


def agreement(lungs, images, change):
    """Return the Dice of each changed image's mask with that of the unchanged one."""
    return [one_agreement(lungs, image, change) for image in images]


def one_agreement(lungs, image, change):
    changed, visible = change(image)
    found = lungs.label_image(changed)[visible] > 0
    before = np.zeros(changed.shape, np.bool_)
    inner = tuple(
        slice((outer - own) // 2, (outer + own) // 2)
        for outer, own in zip(changed.shape, image.shape, strict=True)
    )
    before[inner] = unchanged(lungs, image.tobytes(), image.shape) > 0
    return overlap(before[visible], found)


def overlap(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@cache
def unchanged(lungs, content, shape):
    image = np.frombuffer(content, np.uint8).reshape(shape)
    return lungs.label_image(image)


def check(scores):
    assert (np.mean(scores) >= MEAN, min(scores) >= WORST) == (True, True), (
        f"mean {np.mean(scores):.4f}, worst {min(scores):.4f}"
    )


@pytest.mark.parametrize("law", LAWS)
def test_phantoms(lungs, phantoms, law):
    check(agreement(lungs, phantoms, LAWS[law]))


@pytest.mark.data
@pytest.mark.parametrize("law", LAWS)
def test_real_x_rays(lungs, real, law):
    check(agreement(lungs, real, LAWS[law]))


@pytest.mark.data
@pytest.mark.parametrize("law", LAWS)
def test_the_gate_goes_on_seeing_a_chest(real, law):
    """Without `spread_levels` a plate beside 32 levels made it deny all of them."""
    gate = Gate.load()
    for image in real:
        xray = Xray(pixels=LAWS[law](image).image)
        doubts = examine(xray, gate, on_doubt="warn").doubts
        rare = ("low contrast", "looks mirrored")
        assert not [said for said in doubts if not said.startswith(rare)]


@pytest.mark.parametrize("bits", [12, 16])
def test_more_bits_with_the_chest_in_a_tenth_of_them(lungs, phantoms, tmp_path, bits):
    """Beside it a scale of all gray values, as a test strip would lie."""
    highest = 2**bits - 1
    strip = np.linspace(0, highest, 512).astype(np.uint16)
    scores = []
    for image in phantoms:
        deep = (0.3 * highest + image / 255 * 0.1 * highest).astype(np.uint16)
        deep[:12] = strip
        Image.fromarray(deep).save(tmp_path / "a.png")
        read = read_xray(tmp_path / "a.png").pixels
        found = lungs.label_image(read) > 0
        before = unchanged(lungs, image.tobytes(), image.shape) > 0
        scores.append(overlap(before, found))
    check(scores)
