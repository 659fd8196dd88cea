"""How close `lungcli predict` comes to what the machine could do at best.

    python benchmarks/predict.py
    python benchmarks/predict.py --side 512 --images 200 --json

Decoding, network and encoding are measured each alone, with as many X-rays at a time
as `predict` takes. At best a whole folder takes the sum of the three; the ratio says
how much of that speed `predict` reaches, checks, journal and tables included. A cold
start is measured in a process of its own, as a user has it.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from PIL import Image

from lungcli.checks.gate import Gate
from lungcli.checks.quality import QualityModel
from lungcli.data.read_xray import read_xray
from lungcli.errors import LungcliError
from lungcli.masks.labels import threshold_labels
from lungcli.model.find import BUNDLED, find_model
from lungcli.outputs.label_png import write_label_png
from lungcli.phantom import draw_phantom
from lungcli.system.cores import num_cores
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.shared.inference import LungModel, load_model
from output import AsJson, open_console, print_document, stop

THREADS = num_cores()
_PHANTOMS = 4  # different ones; more take long to draw and change nothing


def write_xrays(folder: Path, *, count: int, side: int) -> list[Path]:
    """Write phantoms as 8-bit PNGs of `side`×`side` pixels."""
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"{number:05}.png"
        if number < _PHANTOMS:
            phantom = Image.fromarray(draw_phantom(number, 512).image)
            phantom.resize((side, side), Image.Resampling.BICUBIC).save(path)
        else:
            path.write_bytes(paths[number % _PHANTOMS].read_bytes())
        paths.append(path)
    return paths


def seconds_each(function: Callable[[Any], Any], items: Sequence[Any]) -> float:
    """Return the seconds per item with all cores at work."""
    with ThreadPoolExecutor(THREADS) as pool:
        begun = time.perf_counter()
        for _ in pool.map(function, items):
            pass
        return (time.perf_counter() - begun) / len(items)


def measure_stages(lungs: LungModel, paths: list[Path], out: Path) -> dict[str, float]:
    """Return the seconds per X-ray of each stage, alone."""
    gate, quality = Gate.load(), QualityModel.load()
    image = read_xray(paths[0]).pixels
    square, geometry = lungs.to_square(image)
    raw = lungs.infer(square)
    labels = threshold_labels(
        lungs.clean(raw), threshold=lungs.threshold, channels=lungs.channels
    )

    def encode(path: Path) -> None:
        write_label_png(lungs.restore(lungs.clean(raw), geometry), out / path.name)

    def check(path: Path) -> None:
        del path
        gate.look(image)
        quality.score(square, raw, labels)

    stages = {
        "decode": lambda path: lungs.to_square(read_xray(path).pixels),
        "network": lambda _: lungs.infer(square),
        "encode": encode,
        "checks": check,
    }
    return {name: seconds_each(stage, paths) for name, stage in stages.items()}


def measure_whole(paths: list[Path], out: Path, model: str) -> float:
    """Return the seconds per X-ray of `predict`, without the start."""
    begun = time.perf_counter()
    first = 0.0

    def listen(task: str, done: int, total: int) -> None:
        nonlocal first
        if task == "predict" and done == 0 and total:
            first = time.perf_counter()

    predict([paths[0].parent], model, out=out, progress=listen)
    return (time.perf_counter() - (first or begun)) / len(paths)


def cold_start(path: Path, out: Path, model: str) -> float:
    """Return the seconds from a command to a written mask."""
    command = [sys.executable, "-m", "lungcli", "predict", str(path), "--out", str(out)]
    command += ["--model", model]
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def measure_round(paths: list[Path], folder: Path, model: str) -> dict[str, float]:
    """Measure everything once."""
    lungs = load_model(find_model(model), threads=1)
    stages = measure_stages(lungs, paths, folder)
    best = stages["decode"] + stages["network"] + stages["encode"]
    whole = measure_whole(paths, folder / "masks", model)
    return {
        **stages,
        "whole": whole,
        "of the best": best / whole,
        "cold start": cold_start(paths[0], folder / "one", model),
    }


def main(
    side: Annotated[int, typer.Option(help="Side of the X-rays in pixels.")] = 2000,
    images: Annotated[int, typer.Option(help="X-rays a round.", min=1)] = 60,
    rounds: Annotated[int, typer.Option(help="Rounds.", min=1)] = 5,
    model: Annotated[str, typer.Option(help="Run, bundled or bundled-tiny.")] = BUNDLED,
    as_json: AsJson = False,
) -> None:
    """Measure each stage of `predict` alone, the whole, and a cold start."""
    console = open_console(as_json=as_json)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paths = write_xrays(folder / "xrays", count=images, side=side)
            measured = [measure_round(paths, folder, model) for _ in range(rounds)]
    except LungcliError as error:
        stop(str(error))
    document: dict[str, object] = {"side": side, "images": images, "threads": THREADS}
    for key in measured[0]:
        values = sorted(round_[key] for round_ in measured)
        document[key] = {
            "median": median(values),
            "lowest": values[0],
            "highest": values[-1],
        }
        unit = "" if key == "of the best" else " s"
        console.print(
            f"{key:12} {median(values):8.4f}{unit} ({values[0]:.4f}-{values[-1]:.4f})"
        )
    if as_json:
        print_document("predict", document)


if __name__ == "__main__":
    typer.run(main)
