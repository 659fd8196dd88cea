"""Show what training sees: each case beside random versions of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Rgb
from lungcli.data.geometry import resize_labels, resize_square
from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig
from lungcli.nn.augment import draw_augmented
from lungcli.nn.normalization import draw_ranks
from lungcli.pictures.film import write_gif, write_png
from lungcli.pictures.overlay import outline
from lungcli.pictures.sheet import grid
from lungcli.workflows.shared.datasets import DatasetCase, open_all
from lungcli.workflows.shared.output_folder import check_output
from lungcli.workflows.shared.sampling import Sample, find_cases

NUM_CASES = 4
FPS = 2


def augment_preview(
    data: Sequence[Path],
    *,
    cases: Sequence[str] = (),
    draws: int = 6,
    strength: float = TrainConfig().strength,
    seed: int = 0,
    out: Path = Path("augment-preview"),
    gif: bool = False,
) -> tuple[Path, ...]:
    """Draw versions of training cases with the layers that training uses.

    Below each row the same images stand as the network's first layer shows them to the
    next: gray values as ranks (`nn.normalization`).

    Args:
        data: Folders of prepared data sets.
        cases: Names of the cases; empty takes four, spread over the training split.
        draws: Versions a case.
        strength: As in training.
        seed: Same seed, same draws.
        out: Folder of the pictures.
        gif: Whether to write an animation too, one draw a frame.

    Returns:
        `augmented.png` and, on demand, `augmented.gif`.

    Raises:
        DatasetError: If a data set is missing or a case is not in it.
        ConfigError: If there is nothing to draw.
        OutputError: If a picture cannot be written.
    """
    if draws < 1:
        msg = f"draws ({draws}) must be at least 1."
        raise ConfigError(msg)
    TrainConfig(strength=strength, seed=seed)  # refuses what training refuses
    check_output(out)
    chosen = _choose(open_all(data), cases)
    rows = [
        row
        for number, owned in enumerate(chosen)
        for row in _rows(owned, draws=draws, strength=strength, seed=seed + number)
    ]
    names = [f"{case.case_id}{seen}" for _, case in chosen for seen in ("", " (seen)")]
    titles = ["original", *(f"draw {number}" for number in range(1, draws + 1))]
    sheet = grid(rows, column_titles=titles, row_titles=names)
    paths = [write_png(sheet, out / "augmented.png")]
    if gif:
        paths.append(write_gif(_frames(rows, names), out / "augmented.gif", fps=FPS))
    return tuple(paths)


def _choose(
    datasets: Sequence[PreparedDataset], names: Sequence[str]
) -> list[DatasetCase]:
    cases = find_cases(datasets, "all", Sample(cases=tuple(names)))
    if names:
        return cases
    training = [owned for owned in cases if owned[1].split == "train"] or cases
    spread = np.linspace(0, len(training) - 1, min(NUM_CASES, len(training)))
    return [training[int(index)] for index in spread.round()]


def _rows(
    owned: DatasetCase, *, draws: int, strength: float, seed: int
) -> tuple[list[Rgb], list[Rgb]]:
    """Return a case and its versions, as files would have them and as they are seen."""
    dataset, case = owned
    side = TrainConfig().size
    image = resize_square(dataset.read_image(case), side)
    labels = resize_labels(dataset.read_mask(case), side)
    drawn, masks = draw_augmented(
        image, labels, draws=draws, strength=strength, seed=seed
    )
    images, masks = np.stack([image, *drawn]), np.stack([labels, *masks])
    return _outlined(images, masks), _outlined(draw_ranks(images), masks)


def _outlined(images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> list[Rgb]:
    return [outline(image, mask) for image, mask in zip(images, masks, strict=True)]


def _frames(rows: Sequence[Sequence[Rgb]], names: Sequence[str]) -> Iterator[Rgb]:
    for number in range(1, len(rows[0])):
        pictures = [[row[0], row[number]] for row in rows]
        titles = ["original", "as training sees it"]
        yield grid(pictures, column_titles=titles, row_titles=names)
