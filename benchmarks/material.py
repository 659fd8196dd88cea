"""What the benchmarks train on: a prepared data set, or else phantoms."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from lungcli.phantom import draw_phantom, write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.shared.datasets import open_all, select, store_pairs

_DISTINCT = 16  # phantoms; drawing takes longer than training on them

Pixels = NDArray[np.uint8]


def save_pairs(
    path: Path, *, data: Sequence[Path] | None, count: int, size: int
) -> None:
    """Write the training pairs that all contestants read.

    Args:
        path: An `.npz` file; gets `images` and `masks`, uint8 `(count, size, size, 1)`.
        data: Prepared data sets, of which the training split is taken; none of them
            means phantoms.
        count: Number of pairs; what there is gets repeated.
        size: Side in pixels.
    """
    images, masks = _prepared(data, size) if data else _phantoms(count, size)
    chosen = np.arange(count) % len(images)
    np.savez(path, images=images[chosen], masks=masks[chosen])


def read_pairs(path: Path) -> tuple[Pixels, Pixels]:
    """Return the images and masks of `save_pairs`."""
    with np.load(path) as arrays:
        return arrays["images"], arrays["masks"]


def prepare_phantoms(folder: Path, *, count: int, size: int) -> Path:
    """Draw phantoms and prepare them; return the prepared data set in the folder."""
    source, out = folder / "phantoms", folder / "prepared"
    write_montgomery(source, count=count, size=size, workers=1)
    prepare([source], settings=PrepareSettings(out=out, size=size, workers=1))
    return out


def _prepared(data: Sequence[Path], size: int) -> tuple[Pixels, Pixels]:
    cases = select(open_all(data), "train").cases
    with TemporaryDirectory() as folder:
        images, masks = store_pairs(cases, size, folder=Path(folder))
        every = np.arange(len(cases))
        return images[every], masks[every]


def _phantoms(count: int, size: int) -> tuple[Pixels, Pixels]:
    drawn = [draw_phantom(seed, size) for seed in range(min(count, _DISTINCT))]
    return (
        np.stack([phantom.image for phantom in drawn])[..., None],
        np.stack([phantom.labels for phantom in drawn])[..., None],
    )
