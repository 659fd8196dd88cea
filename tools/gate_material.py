"""Real chests, phantoms and everything else that the gate learns from."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import skimage
from gate_drawings import KNOWN, SIDE, UNKNOWN, Draw
from PIL import Image

from lungcli.arrays import Gray
from lungcli.data.levels import spread_levels
from lungcli.data.opening import IMAGE_SUFFIXES
from lungcli.data.read_xray import read_xray
from lungcli.errors import ImageError
from lungcli.phantom import draw_phantom

_FOLDERS: Final = {
    "montgomery": "MontgomerySet/CXR_png",
    "shenzhen": "ChinaSet_AllFiles/CXR_png",
    "jsrt": "JSRT/images",
    "covid": "covid-v7/images",
    "wingspan": "wingspan/images",
    "children": "kermany-v7/images",
}
_EVERY: Final = {"children": 5}  # of 2000: as many as another source has
_KNOWN_PHOTOGRAPHS: Final = (
    "astronaut.png", "brick.png", "cell.png", "clock_motion.png", "coffee.png",
    "coins.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png",
    "motorcycle_left.png", "page.png",
)  # fmt: skip
_UNKNOWN_PHOTOGRAPHS: Final = (
    "camera.png", "chelsea.png", "grass.png", "microaneurysms.png", "phantom.png",
    "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chest:
    """A frontal chest, squashed to a square thumbnail, upright."""

    source: str
    patient_id: str
    thumbnail: Gray


def read_chests(data: Path) -> list[Chest]:
    """Read the real chests of the data folder, squashed to `SIDE` pixels."""
    return [
        Chest(
            source=source,
            patient_id=f"{source} {patients.get(path.stem, path.stem)}",
            thumbnail=squash(spread_levels(read_xray(path).pixels)),
        )
        for source, folder in _FOLDERS.items()
        for patients in [_read_patients(data / folder)]
        for path in sorted((data / folder).iterdir())[:: _EVERY.get(source, 1)]
        if path.suffix in IMAGE_SUFFIXES
    ]


def _read_patients(images: Path) -> Mapping[str, str]:
    """Return whose X-ray each case is, where a table beside the images tells."""
    table = images.parent / "cases.csv"
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf-8") as file:
        return {row["case_id"]: row["patient_id"] for row in csv.DictReader(file)}


def draw_chests(seeds: range) -> list[Chest]:
    """Draw phantoms."""
    return [
        Chest(
            source="phantom",
            patient_id=f"phantom {seed}",
            thumbnail=draw_phantom(seed, SIDE).image,
        )
        for seed in seeds
    ]


def squash(gray: Gray) -> Gray:
    """Shrink to a square of `SIDE` pixels; the aspect goes."""
    smooth = Image.Resampling.BILINEAR
    picture = Image.fromarray(gray).resize((SIDE, SIDE), smooth, reducing_gap=2.0)
    return np.asarray(picture)


def known_kinds(chests: Sequence[Chest]) -> dict[str, Draw]:
    """Return the kinds of other pictures that every training sees."""
    return {
        **KNOWN,
        "photograph": _photographs(_KNOWN_PHOTOGRAPHS),
        "one lung": _part_of(chests, _one_side),
        "base or apex": _part_of(chests, _low_or_high),
        "scrambled chest": _part_of(chests, _scramble),
        "spot of a chest": _part_of(chests, _spot),
    }


def unknown_kinds(chests: Sequence[Chest]) -> dict[str, Draw]:
    """Return the kinds that only the last training sees: the others are tested."""
    return {
        **UNKNOWN,
        "unknown photograph": _photographs(_UNKNOWN_PHOTOGRAPHS),
        "two chests": _pair_of(chests),
        "halved chest": _part_of(chests, _swap_halves),
    }


def read_others(folder: Path) -> Mapping[str, Gray]:
    """Read pictures that are no frontal chest, by name; never trained on."""
    others = {}
    for path in sorted(folder.iterdir()):
        try:
            others[path.stem] = read_xray(path).pixels
        except ImageError:
            continue
    return others


def _photographs(names: Sequence[str]) -> Draw:
    folder = Path(skimage.__file__).parent / "data"
    pictures = [read_xray(folder / name).pixels for name in names]

    def draw(rng: np.random.Generator) -> Gray:
        picture = pictures[rng.integers(len(pictures))]
        share = rng.uniform(0.25, 1.0)
        height, width = (max(32, int(share * side)) for side in picture.shape)
        top = rng.integers(picture.shape[0] - height + 1)
        left = rng.integers(picture.shape[1] - width + 1)
        return squash(
            np.ascontiguousarray(picture[top : top + height, left : left + width])
        )

    return draw


def _part_of(
    chests: Sequence[Chest], cut: Callable[[Gray, np.random.Generator], Gray]
) -> Draw:
    def draw(rng: np.random.Generator) -> Gray:
        chest = chests[rng.integers(len(chests))]
        return squash(np.ascontiguousarray(cut(chest.thumbnail, rng)))

    return draw


def _pair_of(chests: Sequence[Chest]) -> Draw:
    def draw(rng: np.random.Generator) -> Gray:
        pair = [chests[index].thumbnail for index in rng.integers(len(chests), size=2)]
        return squash(np.concatenate(pair, axis=int(rng.integers(2))))

    return draw


def _one_side(gray: Gray, rng: np.random.Generator) -> Gray:
    width = int(rng.uniform(0.3, 0.48) * SIDE)
    return gray[:, :width] if rng.random() < 0.5 else gray[:, -width:]


def _low_or_high(gray: Gray, rng: np.random.Generator) -> Gray:
    height = int(rng.uniform(0.12, 0.25) * SIDE)
    return gray[:height] if rng.random() < 0.5 else gray[-height:]


def _spot(gray: Gray, rng: np.random.Generator) -> Gray:
    side = int(rng.uniform(0.2, 0.42) * SIDE)
    top, left = rng.integers(SIDE - side, size=2)
    return gray[top : top + side, left : left + side]


def _scramble(gray: Gray, rng: np.random.Generator) -> Gray:
    blocks = int(rng.choice([3, 4, 8]))
    side = SIDE // blocks
    tiles = [
        gray[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(blocks)
        for column in range(blocks)
    ]
    order = rng.permutation(len(tiles))
    rows = [
        np.concatenate([tiles[index] for index in order[row * blocks :][:blocks]], 1)
        for row in range(blocks)
    ]
    return np.concatenate(rows)


def _swap_halves(gray: Gray, rng: np.random.Generator) -> Gray:
    return np.roll(gray, SIDE // 2, axis=int(rng.integers(2)))
