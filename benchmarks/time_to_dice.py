"""Seconds from a prepared data set to a validation Dice, with `lungcli train`.

    python benchmarks/time_to_dice.py --data prepared
    python benchmarks/time_to_dice.py --data prepared --reach .975 -- --epochs 100
    python benchmarks/time_to_dice.py --data prepared --rival "--arch unet"
    python benchmarks/time_to_dice.py --data prepared --backend jax
        --reach Montgomery=.978 --reach JSRT=.978 --reach Shenzhen=.954

What follows `--` goes to `lungcli train`; without it the defaults are measured. The
clock starts with the process and stops when `history.csv` shows the Dice; the training
is then ended. With JAX each turn trains twice: with an empty compilation cache (cold),
then with what that left in it (warm).
"""

import math
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import machine
from lungcli.errors import LungcliError
from lungcli.workflows.shared.datasets import open_all, select
from material import prepare_phantoms
from output import AsJson, Data, open_console, print_document, stop
from spread import Spread, ratio, spread
from watching import Timing, TrainingError, goal_columns, time_training

_OURS, _RIVAL = "lungcli", "rival"
_PHANTOMS = 60


class Backend(StrEnum):
    """What Keras computes with."""

    TENSORFLOW = "tensorflow"
    JAX = "jax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is timed.

    Attributes:
        data: Prepared data sets.
        goals: Columns of `history.csv` and what they must reach.
        backend: Of Keras.
        options: Options of `lungcli train`, by the name of the contestant.
    """

    data: tuple[Path, ...]
    goals: Mapping[str, float]
    backend: Backend
    options: Mapping[str, Sequence[str]]


Timings = dict[str, list[Timing]]


def run_turns(plan: Plan, rounds: int, limit: float = math.inf) -> Timings:
    """Train in turns; return the timings of each contestant.

    Args:
        plan: What is timed.
        rounds: Turns of each.
        limit: Seconds for all of it; who is training then, or later, has missed.

    Raises:
        TrainingError: If a training fails.
    """
    found: Timings = {}
    ends = perf_counter() + limit
    for _ in range(rounds):
        for name, options in plan.options.items():
            with tempfile.TemporaryDirectory() as folder:
                for cache in _caches(plan.backend):
                    left = ends - perf_counter()
                    timing = train_once(plan, options, Path(folder), cache, left)
                    found.setdefault(_label(name, cache), []).append(timing)
    return found


def train_once(
    plan: Plan, options: Sequence[str], folder: Path, name: str, limit: float
) -> Timing:
    """Train until the goal.

    Args:
        plan: Data, goals, backend.
        options: Of `lungcli train`.
        folder: Gets the run and the compilation cache.
        name: Of the run.
        limit: Seconds after which the training is ended.

    Raises:
        TrainingError: If the training fails.
    """
    run = folder / f"run-{name}"
    data = [part for path in plan.data for part in ("--data", str(path.resolve()))]
    command = [sys.executable, "-m", "lungcli", "train", *data, "--run", str(run)]
    env = {
        **os.environ,
        "KERAS_BACKEND": plan.backend.value,
        "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
    }
    return time_training(
        [*command, *options],
        run=run,
        goals=plan.goals,
        env=env,
        cwd=folder,
        limit=limit,
    )


def import_seconds(backend: Backend) -> float:
    """Return how long it takes to start Python and import what trains."""
    env = {**os.environ, "KERAS_BACKEND": backend.value}
    began = perf_counter()
    command = [sys.executable, "-c", "import lungcli.workflows.training.train"]
    subprocess.run(command, env=env, check=True, stderr=subprocess.DEVNULL)
    return perf_counter() - began


def matches(plan: Plan) -> list[tuple[str, str]]:
    """Return whose seconds are divided by whose."""
    caches = _caches(plan.backend)
    found = []
    if len(caches) > 1:
        found = [(_label(n, "cold"), _label(n, "warm")) for n in plan.options]
    if _RIVAL in plan.options:
        found += [(_label(_RIVAL, c), _label(_OURS, c)) for c in caches]
    return found


def ratios(timings: Timings, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the ratios of the seconds, for those who always reached the goal."""
    seconds = {name: [one.seconds for one in found] for name, found in timings.items()}
    return [
        {"of": one, "to": other, **ratio(seconds[one], seconds[other]).to_dict()}  # type: ignore[arg-type]
        for one, other in pairs
        if None not in seconds[one] + seconds[other]
    ]


def show(console: Console, timings: Timings) -> None:
    """Print a row a contestant: median (lowest-highest) of its turns, in seconds."""
    table = Table(title="seconds to the validation Dice", title_justify="left")
    table.add_column("contestant", no_wrap=True)
    for column in ("goal", "start", "compile", "epoch", "epochs", "best Dice"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, found in timings.items():
        missed = sum(one.seconds is None for one in found)
        table.add_row(
            name,
            f"missed {missed} of {len(found)}"
            if missed
            else _text([one.seconds for one in found]),
            _text([one.start_s for one in found]),
            _text([one.compile_s for one in found]),
            _text([one.epoch_s for one in found], digits=2),
            _text([one.epochs for one in found], digits=0),
            f"{max(one.best for one in found):.4f}",
        )
    console.print(table)


def main(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- OPTIONS...", help="For 'lungcli train'."),
    ] = None,
    data: Data = None,
    reach: Annotated[
        list[str] | None,
        typer.Option(
            help="Validation Dice to reach, of all cases (.975) or of a source "
            "(Montgomery=.978); repeatable.",
            show_default=".975",
        ),
    ] = None,
    rival: Annotated[
        str | None,
        typer.Option(help="Options of a second training, which takes turns with it."),
    ] = None,
    backend: Annotated[
        Backend | None,
        typer.Option(
            help="Of Keras.", show_default="KERAS_BACKEND, or jax if there is a GPU"
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each.", min=1)] = 3,
    limit: Annotated[
        float,
        typer.Option(
            help="Seconds for all trainings together; then the goal is missed.",
            show_default="none",
        ),
    ] = math.inf,
    as_json: AsJson = False,
) -> None:
    """Measure the seconds from prepared data to a validation Dice."""
    contestants = {_OURS: list(options or [])}
    if rival is not None:
        contestants[_RIVAL] = shlex.split(rival)
    keras = backend or _usual_backend()
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepared = data or [
                prepare_phantoms(Path(folder), count=_PHANTOMS, size=512)
            ]
            plan = Plan(
                data=tuple(prepared),
                goals=goal_columns(reach or [".975"], _sources(prepared)),
                backend=keras,
                options=contestants,
            )
            import_s = [import_seconds(keras) for _ in range(rounds)]
            timings = run_turns(plan, rounds, limit)
    except (TrainingError, LungcliError, ValueError) as error:
        stop(str(error))
    found = ratios(timings, matches(plan))
    console = open_console(as_json=as_json)
    console.print(f"import alone: {_text(import_s)} s; Keras on {keras}")
    show(console, timings)
    for one in found:
        text = Spread(one["median"], one["low"], one["high"]).text(2)
        console.print(f"  {one['of']} / {one['to']}: {text}", soft_wrap=True)
    if as_json:
        document = {
            "backend": keras.value,
            "goals": dict(plan.goals),
            "options": contestants,
            "import_s": spread(import_s).to_dict(),
            "timings": {n: [one.to_dict() for one in t] for n, t in timings.items()},
            "ratios": found,
        }
        print_document("time_to_dice", document)
    if any(one.seconds is None for each in timings.values() for one in each):
        raise typer.Exit(1)


def _sources(data: Sequence[Path]) -> list[str]:
    cases = select(open_all(data), "val").cases
    return sorted({case.source for _, case in cases})


def _usual_backend() -> Backend:
    named = os.environ.get("KERAS_BACKEND")
    usual = Backend.JAX if machine.gpu_name() else Backend.TENSORFLOW
    return Backend(named) if named else usual


def _caches(backend: Backend) -> tuple[str, ...]:
    return ("cold", "warm") if backend is Backend.JAX else ("",)


def _label(name: str, cache: str) -> str:
    return f"{name}, {cache} cache" if cache else name


def _text(values: Sequence[float | None], *, digits: int = 1) -> str:
    known = [value for value in values if value is not None]
    return spread(known).text(digits) if known else "-"


if __name__ == "__main__":
    typer.run(main)
