"""What a recipe is worth in the next hospital: train on all sources but one, score it.

    lungcli prepare MontgomerySet --out m      # one folder a source
    python benchmarks/leave_one_out.py -d m -d j -d s -d w --seeds 3 -- --filters 8
    python benchmarks/leave_one_out.py -d m -d j -d s -d w -- --filters 8 --epochs 20

`lungcli train` is started with the options after `--`, once for each source and seed.
The source that is left out is scored with all of its cases, at their original size.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from lungcli.workflows.evaluating.cases_csv import CASES_CSV
from output import AsJson, open_console, print_document, stop

_LOW = 0.9  # a Dice below is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The scores of one source by a network that never saw it.

    Attributes:
        source: The folder that was left out.
        seed: Of the training.
        cases: Number of its cases.
        mean: Dice of both lungs.
        percentile_5: The same.
        worst: The same.
        low: Cases with a Dice below 0.9.
        missed: Cases of which no lung was found.
    """

    source: str
    seed: int
    cases: int
    mean: float
    percentile_5: float
    worst: float
    low: int
    missed: int


def main(
    data: Annotated[
        list[Path], typer.Option("--data", "-d", help="A prepared source; repeat it.")
    ],
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of lungcli train, after --.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings a source.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure the Dice of each source by networks that never saw it."""
    if len(data) < 2:
        stop("one source leaves none to train on. Name at least two with --data.")
    console = open_console(as_json=as_json)
    results = []
    for held_out in data:
        taught = [folder for folder in data if folder != held_out]
        for seed in range(seeds):
            results.append(leave_out(held_out, taught, options or [], seed=seed))
            console.print(f"{held_out.name}, seed {seed}: {results[-1].mean:.4f}")
    show(console, results)
    if as_json:
        rows = [asdict(result) for result in results]
        print_document("leave_one_out", {"options": options or [], "results": rows})


def leave_out(
    held_out: Path, taught: Sequence[Path], options: Sequence[str], *, seed: int
) -> Result:
    """Train on some sources and score another."""
    with tempfile.TemporaryDirectory() as folder:
        run, scores = Path(folder) / "run", Path(folder) / "scores"
        given = [part for path in taught for part in ("--data", str(path.resolve()))]
        _lungcli(folder, "train", *given, "--run", run, "--seed", seed, *options)
        where = ("--data", held_out.resolve(), "--model", run, "--out", scores)
        _lungcli(folder, "evaluate", *where, "--split", "all", "--any-convention")
        with (scores / CASES_CSV).open(newline="", encoding="utf-8") as stream:
            dice = np.array([float(row["dice"]) for row in csv.DictReader(stream)])
    return Result(
        source=held_out.name,
        seed=seed,
        cases=len(dice),
        mean=float(dice.mean()),
        percentile_5=float(np.percentile(dice, 5)),
        worst=float(dice.min()),
        low=int(np.count_nonzero(dice < _LOW)),
        missed=int(np.count_nonzero(dice == 0)),
    )


def show(console: Console, results: Sequence[Result]) -> None:
    """Print one row a source, the seeds side by side."""
    table = Table(title="Dice of the source that was left out")
    for column in ("source", "cases", "mean", "5th percentile", "worst", "< 0.9", "0"):
        table.add_column(column, no_wrap=True)
    for source in dict.fromkeys(result.source for result in results):
        own = [result for result in results if result.source == source]
        table.add_row(
            *(source, str(own[0].cases)),
            " ".join(f"{result.mean:.4f}" for result in own),
            " ".join(f"{result.percentile_5:.3f}" for result in own),
            " ".join(f"{result.worst:.2f}" for result in own),
            " ".join(str(result.low) for result in own),
            " ".join(str(result.missed) for result in own),
        )
    console.print(table)


def _lungcli(folder: str, *arguments: object) -> None:
    command = [sys.executable, "-m", "lungcli", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        stop(f"{' '.join(command[2:])} failed: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    typer.run(main)
