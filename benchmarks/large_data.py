"""Whether training slows down, or takes more memory, when the data set is large.

    python benchmarks/large_data.py
    python benchmarks/large_data.py --cases 100000 --size 256

A small set and a large one are trained in turns by `lungcli train`, for as many steps.
A few phantoms are drawn, small ones, and named many times: of a table of 20,000 cases
each is read, decoded and kept like any other, but nobody has to draw for hours. What
the process holds is its anonymous memory (RssAnon of Linux): pages of files, which the
system drops when others need the room, count for nobody.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import machine
from lungcli.data.prepared import CASES_CSV, DATASET_JSON
from lungcli.errors import LungcliError
from material import prepare_phantoms
from output import AsJson, open_console, print_document, stop
from spread import ratio, spread
from turns import last_words

_DISTINCT = 300  # phantoms
_POLL_S = 0.05
_FOLDERS = ("images", "masks", "references")


class TrainingError(Exception):
    """A training failed."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one training showed.

    Attributes:
        images_per_second: Of the training steps.
        memory_mib: The most anonymous memory that the process held.
        seconds: Of the whole command, reading included.
    """

    images_per_second: float
    memory_mib: float
    seconds: float


def repeat_cases(prepared: Path, out: Path, cases: int) -> None:
    """Write a prepared data set that names the cases of another many times.

    Args:
        prepared: The other one; its files are linked to.
        out: The new folder.
        cases: How many cases it has.
    """
    out.mkdir()
    for name in _FOLDERS:
        (out / name).symlink_to(prepared / name)
    shutil.copyfile(prepared / DATASET_JSON, out / DATASET_JSON)
    with (prepared / CASES_CSV).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with (out / CASES_CSV).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        for number in range(cases):
            row = rows[number % len(rows)]
            again = f"-{number // len(rows)}"
            names = {key: row[key] + again for key in ("case_id", "patient_id")}
            writer.writerow({**row, **names})


def train(data: Path, *, size: int, epochs: int, batch_size: int) -> Figures:
    """Train on a prepared data set in a process of its own.

    Raises:
        TrainingError: If it fails.
    """
    device = machine.CUDA if machine.gpu_name() else machine.CPU
    with tempfile.TemporaryDirectory(dir=data.parent) as folder:
        command = [
            *[sys.executable, "-m", "lungcli", "train", "--data", str(data), "--json"],
            *["--run", f"{folder}/run", "--size", str(size), "--epochs", str(epochs)],
            *["--batch-size", str(batch_size)],
        ]
        out, err = Path(folder) / "out", Path(folder) / "err"
        began = time.perf_counter()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                stdout=stdout,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, **machine.lungcli_env(device)},
            )
            most = _watch(process)
        if process.returncode:
            raise TrainingError(last_words(err.read_text(encoding="utf-8")))
        found = json.loads(out.read_text(encoding="utf-8"))
        seconds = time.perf_counter() - began
    return Figures(float(found["images_per_second"]), most, seconds)


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end; return the most anonymous memory in MiB."""
    most = 0.0
    while process.poll() is None:
        most = max(most, anonymous_mib(Path(f"/proc/{process.pid}/status")))
        time.sleep(_POLL_S)
    return most


def anonymous_mib(status: Path) -> float:
    """Return the anonymous memory that Linux tells of a process; 0 once it ended."""
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith("RssAnon:")]
    return int(found[0]) / 1024 if found else 0.0


def measure(
    sets: Mapping[str, tuple[Path, int]], *, size: int, batch_size: int, rounds: int
) -> dict[str, list[Figures]]:
    """Train on each set in turns.

    Args:
        sets: Name to prepared data set and epochs.
        size: Side in pixels.
        batch_size: Images a step.
        rounds: Turns of each.
    """
    found: dict[str, list[Figures]] = {name: [] for name in sets}
    for _ in range(rounds):
        for name, (data, epochs) in sets.items():
            figures = train(data, size=size, epochs=epochs, batch_size=batch_size)
            found[name].append(figures)
    return found


def show(console: Console, found: Mapping[str, Sequence[Figures]]) -> None:
    """Print a line a set, then large divided by small."""
    for name, rounds in found.items():
        speed = spread([one.images_per_second for one in rounds]).text(0)
        memory = spread([one.memory_mib for one in rounds]).text(0)
        seconds = spread([one.seconds for one in rounds]).text(0)
        console.print(f"{name}: {speed} images/s, {memory} MiB, {seconds} s in all")
    for name, values in ratios(found).items():
        console.print(f"  large / small, {name}: {ratio(*values).text(2)}")


def ratios(
    found: Mapping[str, Sequence[Figures]],
) -> dict[str, tuple[list[float], list[float]]]:
    """Return speed and memory of the large set and of the small one, by round."""
    small, large = found.values()
    return {
        "images/s": (
            [one.images_per_second for one in large],
            [one.images_per_second for one in small],
        ),
        "memory": (
            [one.memory_mib for one in large],
            [one.memory_mib for one in small],
        ),
    }


def main(
    cases: Annotated[int, typer.Option(help="Of the large set.", min=400)] = 20_000,
    small: Annotated[int, typer.Option(help="Of the small set.", min=100)] = 2000,
    size: Annotated[int, typer.Option(help="Side in pixels.")] = 64,
    batch_size: Annotated[int, typer.Option(help="Images a step.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Turns of each.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Measure training on a large data set against training on a small one."""
    console = open_console(as_json=as_json)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepared = prepare_phantoms(folder, count=_DISTINCT, size=size)
            sets = {}
            for label, count in (("small", small), ("large", cases)):
                repeat_cases(prepared, folder / label, count)
                # as many steps of both, or the ends of epochs would be compared
                sets[label] = (folder / label, round(cases / count))
            found = measure(sets, size=size, batch_size=batch_size, rounds=rounds)
    except (LungcliError, TrainingError) as error:
        stop(str(error))
    show(console, found)
    if as_json:
        figures = {
            "cases": {"small": small, "large": cases},
            "rounds": {n: [asdict(one) for one in found[n]] for n in found},
            "large_to_small": {
                name: ratio(*values).to_dict() for name, values in ratios(found).items()
            },
        }
        print_document("large_data", figures)


if __name__ == "__main__":
    typer.run(main)
