"""Every kind of picture of a phantom looks as it did when it was last looked at.

`pytest tests/unit/pictures/test_golden.py --update-golden` rewrites the pictures in
`tests/golden/pictures`. Look at each of them before it is committed.
"""

from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_erosion, gaussian_filter

from lungcli.anatomy import LUNGS
from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom import draw_phantom
from lungcli.pictures.colours import BACKGROUND
from lungcli.pictures.figures.curves import draw_curves
from lungcli.pictures.figures.distribution import draw_distribution
from lungcli.pictures.figures.matrix import Cell, draw_matrix
from lungcli.pictures.figures.stress_curves import StressCurve, draw_stress_curves
from lungcli.pictures.figures.theme import to_rgb as rendered
from lungcli.pictures.film import write_gif
from lungcli.pictures.heat_map import draw_heat_map
from lungcli.pictures.layers import encode_layers
from lungcli.pictures.overlay import outline, tint, to_rgb
from lungcli.pictures.panels import PanelCase, draw_frame
from lungcli.pictures.sheet import Tile, contact_sheet, grid
from lungcli.pictures.views import PanelScores

GOLDEN = Path(__file__).parents[2] / "golden" / "pictures"

# A picture is as before if in no square of it more than a few pixels differ. Versions
# of Pillow draw the edges of letters a little differently: between 11 and 13 up to
# 0.5 % of a square's pixels. Releases of Matplotlib space letters anew and move all
# else with them: figures are compared under the versions that constraints.txt pins.
DIFFERENT = 24  # a pixel is, if one of its colours differs by more than this, of 255
SQUARE = 40  # side in pixels
MOST_DIFFERENT = 0.02  # share of the square's pixels

SIDE = 160  # of the phantom and of a panel, in pixels
MOST_BYTES = 400_000  # of all pictures: they stay in the repository for ever


@dataclass(frozen=True)
class Scene:
    """A phantom of 140×160 pixels and a prediction with faults of each kind."""

    image: np.ndarray
    reference: np.ndarray
    predicted: np.ndarray

    @property
    def case(self):
        return PanelCase(
            title="phantom 7",
            image=self.image,
            predicted=self.predicted,
            reference=self.reference,
            scores=PanelScores(
                dice=0.873, iou=0.775, dice_of={"right": 0.85, "left": 0.89}
            ),
            note="phantoms",
        )


@cache
def make_scene():
    phantom = draw_phantom(seed=7, size=SIDE)
    image, reference = phantom.image[10:150], phantom.labels[10:150]
    predicted = np.zeros_like(reference)
    predicted[binary_erosion(reference == RIGHT, iterations=4)] = RIGHT
    predicted[np.roll(reference == LEFT, (5, 6), (0, 1))] = LEFT
    return Scene(image, reference, predicted)


def draw_tint(scene):
    picture = to_rgb(scene.image)
    for lung in LUNGS:
        tint(picture, scene.predicted == lung.label, lung.colour, 0.45)
    return picture


def draw_sheet(scene):
    pictures = [
        outline(scene.image, scene.predicted),
        outline(scene.image, scene.predicted, reference=scene.reference),
        outline(scene.image[:, :90], None),
    ]
    tiles = [Tile(f"case {i}", p, f"0.9{i}") for i, p in enumerate(pictures)]
    return contact_sheet(tiles, columns=2, side=120, title="phantoms")


def draw_grid(scene):
    row = [to_rgb(scene.image), outline(scene.image, scene.predicted)]
    return grid([row], column_titles=["X-ray", "outline"], row_titles=["phantom 7"])


def first_frame(scene, folder):
    frames = [draw_frame(scene.case, side=SIDE), draw_frame(scene.case, side=SIDE)]
    with Image.open(write_gif(frames, folder / "film.gif")) as film:
        return np.asarray(film.convert("RGB"))


def draw_doubt(scene):
    """Draw a doubt that is greatest at the outline, as networks have it."""
    inside = gaussian_filter((scene.predicted > 0).astype(np.float32), 3)
    return draw_heat_map(scene.case, 1 - np.abs(2 * inside - 1), side=SIDE)


def draw_layers(scene):
    """Lay what the report holds of a case over its X-ray, as a browser does."""
    layers = encode_layers(scene.image, scene.predicted, scene.reference)
    pictures = [layers.xray, layers.predicted, layers.gold, layers.difference]
    xray, *overlays = (Image.open(BytesIO(file)).convert("RGBA") for file in pictures)
    laid = [Image.alpha_composite(xray, overlay) for overlay in overlays]
    return np.concatenate([np.asarray(each)[..., :3] for each in laid], axis=1)


def drawn(figure):
    """Return a figure at half its size, to keep the repository small."""
    return np.asarray(Image.fromarray(rendered(figure)).reduce(2))


def curves_figure():
    epochs = np.arange(30)
    wobble = np.sin(epochs * 2.4)
    return draw_curves(
        {
            "loss": 0.05 + 0.9 * np.exp(-epochs / 5) + 0.01 * wobble,
            "val_loss": 0.08 + 0.9 * np.exp(-epochs / 6) - 0.02 * wobble,
            "val_dice": 0.96 - 0.9 * np.exp(-epochs / 3) + 0.003 * wobble,
        },
        title="2026-01-01-0930-phantoms",
    )


def distribution_figure():
    spread = np.linspace(-2, 2, 60)
    values = {
        "phantoms": 0.975 - 0.01 * np.exp(spread / 2),
        "montgomery": [*(0.97 - 0.015 * np.exp(spread)), 0.31, np.nan],
    }
    return draw_distribution(values, failure=0.9)


def matrix_figure():
    cells = [
        [Cell(0.978, 0.972, 0.983, seen=True), Cell(0.934, 0.92, 0.941, seen=False)],
        [None, Cell(0.951, np.nan, np.nan, seen=False)],
    ]
    return draw_matrix(["run a", "bundled"], ["phantoms", "jsrt"], cells, title="Dice")


def stress_figure():
    mean = np.array([0.97, 0.975, 0.978, 0.93, 0.71])
    curve = StressCurve(
        title="rotation",
        unit="degrees",
        ticks=["-20", "-10", "0", "10", "20"],
        neutral=2,
        mean=mean,
        low=mean - 0.02,
        high=mean + 0.015,
        p5=mean - 0.08,
    )
    return draw_stress_curves([curve] * 2, thresholds=(0.95, 0.9))


# each draws a `Scene`; `folder` is for what needs a file
PICTURES = {
    "outline": lambda s, _: outline(s.image, s.predicted, reference=s.reference),
    "tint": lambda s, _: draw_tint(s),
    "frame": lambda s, _: draw_frame(s.case, side=SIDE),
    "frame_without_reference": lambda s, _: draw_frame(
        replace(s.case, reference=None), side=SIDE, panels=["gold", "predicted"]
    ),
    "contact_sheet": lambda s, _: draw_sheet(s),
    "grid": lambda s, _: draw_grid(s),
    "film_first_frame": first_frame,
    "layers": lambda s, _: draw_layers(s),
    "uncertainty": lambda s, _: draw_doubt(s),
    "curves": lambda _, __: drawn(curves_figure()),
    "distribution": lambda _, __: drawn(distribution_figure()),
    "matrix": lambda _, __: drawn(matrix_figure()),
    "stress_curves": lambda _, __: drawn(stress_figure()),
}


def golden(name):
    with Image.open(GOLDEN / f"{name}.png") as picture:
        return np.asarray(picture.convert("RGB"))


def differing(first, second):
    """Return which pixels differ, all of them if the sizes do."""
    if first.shape != second.shape:
        return np.ones(first.shape[:2], bool)
    return np.abs(first.astype(int) - second).max(axis=2) > DIFFERENT


def worst_square(different):
    """Return the largest share of pixels that differ in any square."""
    height, width = different.shape
    padded = np.pad(different, ((0, -height % SQUARE), (0, -width % SQUARE)))
    rows, columns = (side // SQUARE for side in padded.shape)
    return padded.reshape(rows, SQUARE, columns, SQUARE).mean(axis=(1, 3)).max()


def assert_alike(picture, name, folder):
    expected = golden(name)
    different = differing(picture, expected)
    share = worst_square(different)
    if share <= MOST_DIFFERENT:
        return
    new, where = folder / f"{name}.png", folder / f"{name}-difference.png"
    Image.fromarray(picture).save(new)
    Image.fromarray(different).save(where)
    pytest.fail(
        f"{name} {picture.shape}: in one square {share:.0%} of the pixels differ from "
        f"the golden picture {expected.shape}. The new picture is {new}; where it "
        f"differs is white in {where}. If it is meant to: --update-golden."
    )


@pytest.mark.parametrize("name", PICTURES)
def test_looks_as_before(name, request, tmp_path):
    picture = PICTURES[name](make_scene(), tmp_path)
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(GOLDEN / f"{name}.png", optimize=True)
    assert_alike(picture, name, tmp_path)


def test_pictures_are_small_and_none_is_left_over():
    files = sorted(GOLDEN.iterdir())
    assert [path.stem for path in files] == sorted(PICTURES)
    assert sum(path.stat().st_size for path in files) < MOST_BYTES


def swap_lungs(labels):
    return np.array([0, LEFT, RIGHT], np.uint8)[labels]


@pytest.mark.parametrize(
    "name",
    ["outline", "tint", "frame", "contact_sheet", "grid", "film_first_frame", "layers"],
)
def test_swapped_lung_colours_are_noticed(name, tmp_path):
    scene = make_scene()
    predicted, reference = swap_lungs(scene.predicted), swap_lungs(scene.reference)
    swapped = replace(scene, predicted=predicted, reference=reference)
    with pytest.raises(
        pytest.fail.Exception, match="of the pixels differ from"
    ) as failure:
        assert_alike(PICTURES[name](swapped, tmp_path), name, tmp_path)
    for suffix in (".png", "-difference.png"):
        assert str(tmp_path / f"{name}{suffix}") in str(failure.value)
        assert (tmp_path / f"{name}{suffix}").is_file()


@pytest.mark.parametrize("name", PICTURES)
def test_a_shift_of_two_pixels_is_noticed(name, tmp_path):
    shifted = np.roll(golden(name), 2, axis=1)
    with pytest.raises(pytest.fail.Exception, match="of the pixels differ from"):
        assert_alike(shifted, name, tmp_path)


@pytest.mark.parametrize("name", ["frame", "film_first_frame"])
def test_a_missing_legend_of_a_frame_is_noticed(name, tmp_path):
    bare = golden(name).copy()
    bar = (bare.shape[0] - SIDE) // 3  # a heading, titles, and the legend below
    bare[-bar:] = BACKGROUND
    with pytest.raises(pytest.fail.Exception, match="of the pixels differ from"):
        assert_alike(bare, name, tmp_path)


@pytest.mark.parametrize(
    ("name", "draw"), [("curves", curves_figure), ("matrix", matrix_figure)]
)
def test_a_missing_legend_of_a_figure_is_noticed(name, draw, tmp_path):
    figure = draw()
    figure.axes[0].get_legend().remove()
    with pytest.raises(pytest.fail.Exception, match="of the pixels differ from"):
        assert_alike(drawn(figure), name, tmp_path)


def test_other_sizes_are_noticed(tmp_path):
    with pytest.raises(
        pytest.fail.Exception, match=r"\(139, 160, 3\): in one square 100%"
    ):
        assert_alike(golden("outline")[1:], "outline", tmp_path)
