"""Does the doubt that `visualize --uncertainty` shows lie where the masks are wrong?

    python benchmarks/doubt.py --data prepared --split val

For each case, on the network's grid: average precision of finding the wrongly labelled
pixels by several measures of doubt, near the predicted outline and away from it; then
over all cases the rank correlation of the summed doubt with 1 - Dice. Higher is better.
Last, whether the mean of the looks makes better masks than one look does.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy import ndimage, stats

from lungcli.arrays import is_lung
from lungcli.data.geometry import resize_labels, resize_square
from lungcli.masks.labels import label_map
from lungcli.metrics.overlap import dice, overlap
from lungcli.model.find import find_model
from lungcli.workflows.drawing.uncertainty import binary_entropy, look_again
from lungcli.workflows.shared.datasets import DatasetCase, open_all, select
from lungcli.workflows.shared.inference import LungModel, load_model

NEAR = 4  # pixels of the network's grid from the predicted outline
PLACES = ("all", f"within {NEAR} px", "beyond")
RESAMPLINGS = 2000

Plane = NDArray[np.floating]


def main(
    data: Annotated[
        list[Path],
        typer.Option("--data", "-d", help="Folder written by 'lungcli prepare'."),
    ],
    model: Annotated[str, typer.Option(help="Run, or bundled.")] = "bundled",
    split: Annotated[str, typer.Option(help="Cases to measure on.")] = "val",
) -> None:
    """Measure how well several kinds of doubt find the pixels that are wrong."""
    lungs = load_model(find_model(model))
    cases = select(open_all(data), split).cases
    report([row for case in cases for row in measure(lungs, case)], len(cases))
    report_masks(lungs, cases)


def measure(lungs: LungModel, owned: DatasetCase) -> Iterator[tuple[str, list[float]]]:
    """Yield, for each measure, its average precisions, its sum and 1 - Dice."""
    dataset, case = owned
    square = resize_square(dataset.read_image(case), lungs.size)
    reference = is_lung(resize_labels(dataset.read_mask(case), lungs.size))
    answers = look_again(lungs, square)
    labels = label_map(
        lungs.infer(square), threshold=lungs.threshold, channels=lungs.channels
    )
    predicted = is_lung(labels)
    wrong = predicted != reference
    outline = predicted & ~ndimage.binary_erosion(predicted)
    distance = ndimage.distance_transform_edt(~outline)
    places = (distance >= 0, distance <= NEAR, distance > NEAR)
    error = 1 - dice(overlap(reference, predicted))
    for name, doubt in measures(answers, distance).items():
        found = [average_precision(doubt[place], wrong[place]) for place in places]
        yield name, [*found, float(doubt.sum()) / max(1, predicted.sum()), error]


def measures(answers: Plane, distance: Plane) -> dict[str, Plane]:
    """Return what is compared; closeness to the outline is what each must beat."""
    mean = np.nanmean(answers, axis=0)
    return {
        "closeness to the outline": np.exp(-distance),
        "entropy, one look": binary_entropy(answers[0]),
        "standard deviation of the looks": np.nanstd(answers, axis=0),
        "mean entropy of the looks": np.nanmean(binary_entropy(answers), axis=0),
        "entropy of the mean (shipped)": binary_entropy(mean),
    }


def average_precision(doubt: Plane, wrong: NDArray[np.bool_]) -> float:
    """Return the mean precision over the ranks of the wrong pixels; NaN without any."""
    if not wrong.any():
        return float("nan")
    ordered = wrong[np.argsort(-doubt, kind="stable")]
    precision = np.cumsum(ordered) / np.arange(1, ordered.size + 1)
    return float(precision[ordered].mean())


def report(rows: list[tuple[str, list[float]]], num_cases: int) -> None:
    """Print means over cases, and how much each measure gains over one look."""
    values = {name: np.array([v for n, v in rows if n == name]) for name, _ in rows}
    single = values["entropy, one look"]
    typer.echo(
        f"{num_cases} cases; average precision: {', '.join(PLACES)}; rank correlation"
    )
    for name, table in values.items():
        means = "  ".join(f"{mean:.3f}" for mean in np.nanmean(table[:, :3], axis=0))
        rank = stats.spearmanr(table[:, 3], table[:, 4]).statistic
        low, high = interval(table[:, 2] - single[:, 2])
        gain = f"gain beyond {low:+.3f} to {high:+.3f}"
        typer.echo(f"{name:34s} {means}  {rank:.2f}  {gain}")


def report_masks(lungs: LungModel, cases: Sequence[DatasetCase]) -> None:
    """Print the mean Dice of masks from one look and from the mean of all."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for dataset, case in cases:
        square = resize_square(dataset.read_image(case), lungs.size)
        reference = is_lung(resize_labels(dataset.read_mask(case), lungs.size))
        answers = look_again(lungs, square)
        one, mean = (
            dice(overlap(reference, answer >= lungs.threshold))
            for answer in (answers[0], np.nanmean(answers, axis=0))
        )
        found[case.source].append((one, mean))
    for source, pairs in found.items():
        scores = np.array(pairs)
        one, mean = scores.mean(axis=0)
        low, high = interval(scores[:, 1] - scores[:, 0])
        typer.echo(
            f"{source} ({len(pairs)}): Dice of one look {one:.4f}, of the mean of all "
            f"{mean:.4f}, gain {low:+.4f} to {high:+.4f}"
        )


def interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean difference over cases."""
    known = differences[np.isfinite(differences)]
    lot = np.random.default_rng(0)
    drawn = lot.choice(known, (RESAMPLINGS, known.size)).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    typer.run(main)
