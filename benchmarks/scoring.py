"""How long a thousand cases take to score, and what the distances cost.

    python benchmarks/scoring.py
    python benchmarks/scoring.py --cases 200 --side 2048 --json

Each case is read from two PNGs and gets every score of the lungs, the right and the
left lung, with as many cases at a time as there are cores. The distances alone, those
of both lungs together, are measured on one core against two Euclidean distance
transforms, of the image and of the box that holds both masks, and against SciPy's
`directed_hausdorff`, which gives no more than the Hausdorff distance.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import directed_hausdorff

from lungcli.arrays import LabelMap, Mask
from lungcli.data.other_masks import read_labels
from lungcli.masks.regions import bounding_box
from lungcli.metrics.scores import CaseFacts, CaseScores, score_case
from lungcli.metrics.summary import summarize
from lungcli.metrics.surface import contour, surface_distances
from lungcli.outputs.label_png import write_label_png
from lungcli.phantom import draw_phantom
from lungcli.system.cores import num_cores
from output import AsJson, open_console, print_document
from spread import ratio, spread

THREADS = num_cores()
_PHANTOMS = 4  # different ones; more take long to draw and change nothing
_MAXRSS_MIB = 1024 if sys.platform == "linux" else 1024**2  # macOS counts bytes


@dataclass(frozen=True, slots=True)
class Files:
    """The two masks of a case."""

    case_id: str
    reference: Path
    predicted: Path


def write_masks(folder: Path, *, side: int) -> list[Files]:
    """Write the masks of a few phantoms, and others that differ as a network's do."""
    written = []
    for number in range(_PHANTOMS):
        reference = draw_phantom(number, side).labels
        files = Files(
            str(number), folder / f"{number}.png", folder / f"{number}-predicted.png"
        )
        write_label_png(reference, files.reference)
        write_label_png(disturb(reference), files.predicted)
        written.append(files)
    return written


def disturb(labels: LabelMap) -> LabelMap:
    """Move a label map by a hundredth of its side, and take off the lowest tenth."""
    moved = np.roll(labels, len(labels) // 100, axis=1)
    rows, _ = bounding_box(moved > 0)
    moved[rows.stop - (rows.stop - rows.start) // 10 :] = 0
    return moved


def score(files: Files) -> CaseScores:
    """Read and score one case."""
    reference = read_labels(files.reference)
    predicted = read_labels(files.predicted, reference.shape)
    facts = CaseFacts(
        source="phantoms",
        case_id=files.case_id,
        patient_id=files.case_id,
        height=reference.shape[0],
        width=reference.shape[1],
        spacing_mm=(0.3, 0.3),
        groups={},
    )
    return score_case(facts, reference, predicted)


def measure_whole(written: list[Files], cases: int) -> dict[str, float]:
    """Score all cases and summarize them; return seconds and the growth of memory."""
    numbered = [
        Files(str(number), one.reference, one.predicted)
        for number, one in ((n, written[n % len(written)]) for n in range(cases))
    ]
    early = cases // 4
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        scores = list(pool.map(score, numbered[:early]))
        before = peak_mib()
        scores += pool.map(score, numbered[early:])
    scored = time.perf_counter()
    grown = peak_mib() - before
    summarize(scores)
    return {
        "score": scored - begun,
        "summarize": time.perf_counter() - scored,
        "peak MiB": peak_mib(),
        "MiB a 1000 cases": 1000 * grown / (cases - early),
    }


def peak_mib() -> float:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_MIB


def transform(reference: Mask, predicted: Mask) -> object:
    """Measure the same distances by two distance transforms."""
    ours, theirs = contour(reference), contour(predicted)
    return (
        distance_transform_edt(~theirs)[ours],
        distance_transform_edt(~ours)[theirs],
    )


def transform_box(reference: Mask, predicted: Mask) -> object:
    """Likewise, within the box that holds both masks."""
    box = bounding_box(reference | predicted)
    return transform(reference[box], predicted[box])


def hausdorff_of_scipy(reference: Mask, predicted: Mask) -> float:
    """Measure the Hausdorff distance alone, in both directions."""
    ours, theirs = np.argwhere(contour(reference)), np.argwhere(contour(predicted))
    there, back = directed_hausdorff(ours, theirs), directed_hausdorff(theirs, ours)
    return float(max(there[0], back[0]))


RIVALS: dict[str, Callable[[Mask, Mask], object]] = {
    "transforms of the image": transform,
    "transforms of the box": transform_box,
    "directed_hausdorff": hausdorff_of_scipy,
}


def measure_distances(written: list[Files], pairs: int) -> dict[str, float]:
    """Return the seconds a pair of masks takes each contestant, in turns."""
    masks = [
        (read_labels(one.reference) > 0, read_labels(one.predicted) > 0)
        for one in written
    ]
    contestants = {"lungcli": surface_distances, **RIVALS}
    seconds = dict.fromkeys(contestants, 0.0)
    for number in range(pairs):
        for name, measure in contestants.items():
            begun = time.perf_counter()
            measure(*masks[number % len(masks)])
            seconds[name] += time.perf_counter() - begun
    return {name: total / pairs for name, total in seconds.items()}


def main(
    cases: Annotated[int, typer.Option(help="Cases a round.", min=8)] = 1000,
    side: Annotated[int, typer.Option(help="Side of the masks in pixels.")] = 1024,
    pairs: Annotated[
        int, typer.Option(help="Pairs of masks a round, distances alone.", min=1)
    ] = 20,
    rounds: Annotated[int, typer.Option(help="Rounds.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Measure scoring as a whole, and the distances against other ways to get them."""
    console = open_console(as_json=as_json)
    with tempfile.TemporaryDirectory() as name:
        written = write_masks(Path(name), side=side)
        whole = [measure_whole(written, cases) for _ in range(rounds)]
        alone = [measure_distances(written, pairs) for _ in range(rounds)]
    console.print(f"{cases} cases of {side}×{side}, {THREADS} threads")
    document: dict[str, Any] = {"cases": cases, "side": side, "threads": THREADS}
    for key in whole[0]:
        document[key] = spread([one[key] for one in whole]).to_dict()
        console.print(f"{key:25} {spread([one[key] for one in whole]).text(2)}")
    console.print("distances alone: ms a pair of masks; times as long as lungcli")
    for key in alone[0]:
        taken = [one[key] for one in alone]
        times = ratio(taken, [one["lungcli"] for one in alone])
        document[key] = {"s": spread(taken).to_dict(), "ratio": times.to_dict()}
        milliseconds = spread([1000 * value for value in taken])
        console.print(f"{key:25} {milliseconds.text(1):24} {times.text(1)}")
    if as_json:
        print_document("scoring", document)


if __name__ == "__main__":
    typer.run(main)
