"""The X-rays that an exported network is tried on, and those that calibrate it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Gray
from lungcli.data.geometry import Geometry, fit_square, resize_square, to_square
from lungcli.data.inputs import Input, find_inputs
from lungcli.data.levels import spread_levels
from lungcli.data.prepared import PreparedDataset, is_prepared, open_prepared
from lungcli.data.prepared_case import PreparedCase
from lungcli.data.read_xray import read_xray
from lungcli.errors import DatasetError
from lungcli.phantom import draw_phantom
from lungcli.system.progress import Progress, silent

NUM_PHANTOMS: Final = 8
NUM_CALIBRATION: Final = 32
MOST: Final = 100  # of each kind: the figures hardly change with more
_PHANTOM_SIZE: Final = 512  # pixels
_FIRST_CALIBRATION: Final = 1000  # seed; not those that it is tried on

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FittedXray:
    """An X-ray as the network looks at it.

    Attributes:
        name: What messages call it.
        square: Shape `(size, size)`.
        geometry: How the original lies in the square.
    """

    name: str
    square: Gray
    geometry: Geometry


_Read = Callable[[], FittedXray]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialXrays:
    """What an export is tried on.

    Attributes:
        kind: What they are, without any patient's or file's name.
        xrays: To compare label maps on.
        calibration: To find the ranges of 8-bit activations with, uint8
            `(n, size, size, 1)`; None where nothing is calibrated.
    """

    kind: str
    xrays: tuple[FittedXray, ...]
    calibration: NDArray[np.uint8] | None


def trial_xrays(
    given: Sequence[str], size: int, *, calibrate: bool, progress: Progress = silent
) -> TrialXrays:
    """Read or draw the X-rays to try an exported network on.

    Args:
        given: Prepared data sets, of which the validation split is taken; or X-rays as
            `find_inputs` takes them. None draws phantoms. Of more than `MOST`, that
            many are taken, evenly spread.
        size: Side of the network's square.
        calibrate: Whether to read others, too, that calibrate it: the training split,
            every second X-ray, or other phantoms.
        progress: Told after each X-ray.

    Raises:
        DatasetError: If something is missing, or holds no X-ray.
        ImageError: If one cannot be read.
    """
    if given:
        kinds, tried, calibrating = _given(given, size, calibrate=calibrate)
    else:
        kinds = ["phantoms"]
        tried = _phantoms(range(NUM_PHANTOMS), size)
        last = _FIRST_CALIBRATION + NUM_CALIBRATION
        calibrating = _phantoms(range(_FIRST_CALIBRATION, last), size)
    tried = spread(tried, MOST)
    calibrating = spread(calibrating, NUM_CALIBRATION) if calibrate else []
    read = _read_all([*tried, *calibrating], progress)
    squares = [xray.square for xray in read[len(tried) :]]
    return TrialXrays(
        kind=" and ".join(kinds),
        xrays=tuple(read[: len(tried)]),
        calibration=np.stack(squares)[..., None] if squares else None,
    )


def spread(items: Sequence[_T], most: int) -> list[_T]:
    """Return at most so many items, evenly spread, the first among them.

    Examples:
        >>> spread("abcdefg", 3)
        ['a', 'c', 'e']
    """
    count = min(len(items), most)
    return [items[index * len(items) // count] for index in range(count)]


def _read_all(wanted: Sequence[_Read], progress: Progress) -> list[FittedXray]:
    done = []
    progress("X-rays", 0, len(wanted))
    for read in wanted:
        done.append(read())
        progress("X-rays", len(done), len(wanted))
    return done


def _phantoms(seeds: range, size: int) -> list[_Read]:
    def draw(seed: int) -> FittedXray:
        return _fit(f"phantom {seed}", draw_phantom(seed, _PHANTOM_SIZE).image, size)

    return [partial(draw, seed) for seed in seeds]


def _given(
    given: Sequence[str], size: int, *, calibrate: bool
) -> tuple[list[str], list[_Read], list[_Read]]:
    """Return what the X-rays are, how to read them, and how those that calibrate."""
    prepared = [text for text in given if is_prepared(Path(text))]
    files = [text for text in given if text not in prepared]
    kinds, tried, calibrating = [], [], []
    for text in prepared:
        dataset = open_prepared(Path(text))
        split, cases = _cases(dataset, "val")
        kinds.append(f"{split} split of {dataset.name}")
        tried += _prepared(dataset, cases, size)
        calibrating += _prepared(dataset, _cases(dataset, "train")[1], size)
    if files:
        found = find_inputs(files, stdin=(), out=Path())
        kinds.append("X-rays")
        alone = len(found) == 1 or not calibrate
        tried += _files(found if alone else found[::2], size)
        calibrating += _files(found if alone else found[1::2], size)
    return kinds, tried, calibrating


def _cases(
    dataset: PreparedDataset, split: str
) -> tuple[str, tuple[PreparedCase, ...]]:
    """Return the cases of a split or, where it is empty, of all."""
    try:
        return split, dataset.select(split)
    except DatasetError:
        return "all", dataset.select("all")


def _prepared(
    dataset: PreparedDataset, cases: Sequence[PreparedCase], size: int
) -> list[_Read]:
    def read(case: PreparedCase) -> FittedXray:
        square = resize_square(dataset.read_image(case), size)
        return FittedXray(f"{case.source}/{case.case_id}", square, case.geometry)

    return [partial(read, case) for case in cases]


def _files(items: Sequence[Input], size: int) -> list[_Read]:
    def read(item: Input) -> FittedXray:
        with item.local() as path:
            return _fit(item.shown, read_xray(path).pixels, size)

    return [partial(read, item) for item in items]


def _fit(name: str, image: Gray, size: int) -> FittedXray:
    geometry = fit_square(image.shape[0], image.shape[1], size)
    return FittedXray(name, to_square(spread_levels(image), geometry), geometry)
