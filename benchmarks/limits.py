"""What stands between out-of-fold masks and a Dice of 1: pixels, outlines, errors.

    lungcli train --folds 5 --run runs/folds
    python benchmarks/limits.py runs/folds

The references tell what a pixel is worth: the Dice of each with itself, moved out or in
by one pixel, and shrunk to the network's side and back. The predictions tell what kind
of errors they have: the Dice if none within one or two pixels of the expert's outline
counted, and if the outlines of a whole source, or each by itself, were moved out or in
by up to three pixels. Moves chosen on the cases that they are scored on flatter: they
measure the habits of experts, and nobody could choose them without masks.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.table import Table
from scipy.ndimage import distance_transform_edt

from lungcli.arrays import Mask
from lungcli.data.geometry import content_of, fit_square, to_square
from lungcli.data.other_masks import read_labels
from lungcli.errors import LungcliError, ModelError
from lungcli.metrics.overlap import dice, overlap
from lungcli.workflows.cross_validating.cross_validation import (
    CrossValidation,
    open_cross_validation,
)
from lungcli.workflows.training.folds import development_cases
from output import AsJson, open_console, print_document, stop

MOVES = range(-3, 4)  # pixels, outwards
FORGIVEN = (1, 2)  # pixels on either side of the outline


class Limits(NamedTuple):
    """Dice of one case.

    Attributes:
        out: Of the reference with itself, one pixel larger all around.
        into: One pixel smaller.
        shrunk: Shrunk to the network's side and back.
        forgiven: Of the prediction, without errors near the outline: `FORGIVEN`.
        moved: With its outline moved: `MOVES`.
    """

    out: float
    into: float
    shrunk: float
    forgiven: tuple[float, ...]
    moved: tuple[float, ...]


def main(
    run: Annotated[Path, typer.Argument(help="Folder of a cross-validation.")],
    as_json: AsJson = False,
) -> None:
    """Measure what the Dice of out-of-fold masks is made of."""
    console = open_console(as_json=as_json)
    try:
        figures = measure(run)
    except LungcliError as error:
        stop(str(error))
    table = Table("mean Dice", *figures)
    for name in next(iter(figures.values())):
        values = (row[name] for row in figures.values())
        table.add_row(name, *(f"{value:.4f}" for value in values))
    console.print(table)
    if as_json:
        print_document("limits", {"dice": figures})


def measure(run: Path) -> dict[str, dict[str, float]]:
    """Return, for each source, the name of each figure and its mean.

    Raises:
        LungcliError: If the folder is no cross-validation, or its masks are gone.
    """
    plan = open_cross_validation(run)
    if plan is None:
        msg = f"{run} is no cross-validation. Make one with 'lungcli train --folds 5'."
        raise ModelError(msg)
    found: dict[str, list[Limits]] = defaultdict(list)
    for source, reference, predicted in _pairs(plan):
        found[source].append(limits_of(reference, predicted, plan.config.size))
    return {
        f"{source} ({len(rows)})": _means(rows, plan.config.size)
        for source, rows in found.items()
    }


def limits_of(reference: Mask, predicted: Mask, side: int) -> Limits:
    """Measure one case, the lungs together."""
    inside, outside = _depth(reference), _depth(~reference)

    def score(mask: Mask) -> float:
        return dice(overlap(reference, mask))

    def forgive(width: int) -> Mask:
        far = (inside > width) | (outside > width)
        return np.where(far, predicted, reference)

    return Limits(
        out=score(outside <= 1),
        into=score(inside > 1),
        shrunk=score(shrink(reference, side)),
        forgiven=tuple(score(forgive(width)) for width in FORGIVEN),
        moved=tuple(score(move(predicted, by)) for by in MOVES),
    )


def move(mask: Mask, by: int) -> Mask:
    """Move an outline outwards by some pixels; inwards where `by` is negative."""
    return _depth(~mask) <= by if by > 0 else _depth(mask) > -by


def shrink(mask: Mask, side: int) -> Mask:
    """Scale a mask to a network's square and back, as X-rays and answers are."""
    height, width = mask.shape
    geometry = fit_square(height, width, side)
    small = content_of(to_square(mask.astype(np.uint8) * 255, geometry), geometry)
    back = Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(back) >= 128


def _depth(mask: Mask) -> NDArray[np.float64]:
    """Return how far each pixel of a mask is from what is not; 0 outside of it."""
    return distance_transform_edt(mask)


def _means(rows: list[Limits], side: int) -> dict[str, float]:
    moved = np.array([row.moved for row in rows])
    forgiven = np.array([row.forgiven for row in rows]).mean(axis=0)
    return {
        "reference, 1 pixel larger": float(np.mean([row.out for row in rows])),
        "reference, 1 pixel smaller": float(np.mean([row.into for row in rows])),
        f"reference, by way of {side}": float(np.mean([row.shrunk for row in rows])),
        "prediction": float(moved[:, MOVES.index(0)].mean()),
        **{
            f"... but for {width} px of the outline": float(value)
            for width, value in zip(FORGIVEN, forgiven, strict=True)
        },
        "... best move for the source": float(moved.mean(axis=0).max()),
        "... best move for each case": float(moved.max(axis=1).mean()),
    }


def _pairs(plan: CrossValidation) -> Iterator[tuple[str, Mask, Mask]]:
    """Yield source, reference and out-of-fold prediction of each case."""
    for dataset, case in development_cases(plan.datasets):
        reference = dataset.read_reference(case)
        name = Path(case.reference).name
        path = plan.run.evaluation / "masks" / case.source / name
        yield case.source, reference > 0, read_labels(path, reference.shape) > 0


if __name__ == "__main__":
    typer.run(main)
