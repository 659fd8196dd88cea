"""Kill lungcli at random moments, and see what is lost.

    python faults/kills.py --kills 40

Each command is first run to its end. Then it is killed (SIGKILL) at random moments,
half of them in time and half between two file operations, and run again, until so many
kills are done; after each, what it left must be absent or whole. The last run goes to
its end, and its output must be that of the run which was never killed, byte for byte.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import trials
from trials import Contents, Trial, contents, is_leftover

KILLED = Path(__file__).with_name("killed.py")
_LEAST = 0.25  # of the time to the end: earlier, only imports are killed


@dataclass(frozen=True, slots=True)
class Reference:
    """A run that nobody killed: its output, its time, and its file operations."""

    output: Contents
    seconds: float
    operations: int


@dataclass(slots=True)
class Outcome:
    """What became of one command."""

    kills: int = 0
    wrong: list[str] | None = None


def main() -> None:
    """Run every trial and print a table in Markdown."""
    options = _parse(sys.argv[1:])
    rng = random.Random(options.seed)  # noqa: S311 - no secrets
    with tempfile.TemporaryDirectory(prefix="lungcli-faults-") as name:
        folder = Path(name)
        chosen = [
            trial
            for trial in _list_trials(folder)
            if trial.name in (options.only or [trial.name])
        ]
        print("| command | kills | lost or half-written | re-run the same |")  # noqa: T201
        print("|---|---|---|---|", flush=True)  # noqa: T201
        failed = False
        for trial in chosen:
            outcome = _run_trial(folder / trial.name, trial, options.kills, rng)
            failed |= bool(outcome.wrong)
            said = "; ".join(outcome.wrong or []) or "nothing"
            same = "no" if outcome.wrong else "yes"
            print(f"| `{trial.name}` | {outcome.kills} | {said} | {same} |", flush=True)  # noqa: T201
    sys.exit(failed)


def _list_trials(folder: Path) -> list[Trial]:
    """Make what the commands need, and return them."""
    source = trials.write_material(folder)
    prepared = folder / "prepared"
    _run(["prepare", str(source), "--size", "64", "--out", str(prepared)], folder)
    _run(trials.train_arguments(prepared, epochs=2, run=folder / "m"), folder)
    prepare = ["prepare", str(source), "--size", "64", "--out", "out", "--workers", "2"]
    evaluate = ["evaluate", "--data", str(prepared), "--model", str(folder / "m")]
    evaluate += ["--split", "all", "--out", "out"]
    predict = ["predict", str(source / "CXR_png"), "--out", "out"]
    predict += ["--format", "png,overlay,nifti"]
    train = trials.train_arguments(prepared)
    return [
        Trial(
            "prepare",
            prepare,
            # once it is there it is not replaced unasked
            lambda place: [] if (place / "out").exists() else prepare,
            "out",
            trials.judge_folder,
        ),
        Trial(
            "prepare --force",
            [*prepare, "--force"],
            lambda _: [*prepare, "--force"],
            "out",
            trials.judge_folder,
            prepare=lambda place: _run(prepare, place),
        ),
        Trial(
            "train",
            train,
            trials.train_again,
            "run",
            trials.judge_run,
        ),
        Trial("evaluate", evaluate, lambda _: evaluate, "out", trials.judge_evaluation),
        Trial(
            "predict",
            predict,
            lambda _: [*predict, "--resume"],
            "out",
            trials.judge_predictions,
            unlike=frozenset({"predictions.jsonl"}),
        ),
    ]


def _run_trial(folder: Path, trial: Trial, kills: int, rng: random.Random) -> Outcome:
    reference = _measure(folder / "whole", trial)
    outcome = Outcome(wrong=[])
    round_number = 0
    while outcome.kills < kills and not outcome.wrong:
        round_number += 1
        place = folder / f"round-{round_number}"
        outcome.wrong = _run_round(place, trial, reference, kills, outcome, rng)
        shutil.rmtree(place)
    return outcome


def _run_round(
    place: Path,
    trial: Trial,
    reference: Reference,
    kills: int,
    outcome: Outcome,
    rng: random.Random,
) -> list[str]:
    """Kill one output again and again, then let it be finished."""
    place.mkdir(parents=True)
    trial.prepare(place)
    arguments: Sequence[str] = trial.first
    for _ in range(rng.randint(1, 6)):
        if not arguments or outcome.kills >= kills:
            break
        if not _kill_once(place, arguments, reference, rng):
            return _judge_end(place, trial, reference)
        outcome.kills += 1
        wrong = trial.judge(place / trial.output, reference.output)
        if wrong:
            return [f"after kill {outcome.kills}: {each}" for each in wrong]
        arguments = trial.again(place)
    if arguments:
        _run(arguments, place)
    return _judge_end(place, trial, reference)


def _judge_end(place: Path, trial: Trial, reference: Reference) -> list[str]:
    """Compare what the last run left with what the first one did, byte for byte."""
    found = contents(place / trial.output)
    names = (found.keys() | reference.output.keys()) - trial.unlike
    wrong = [
        f"{name} differs from the run that was not killed"
        for name in sorted(names)
        if found.get(name) != reference.output.get(name)
    ]
    left = [path.name for path in place.rglob(".*") if is_leftover(path.name)]
    return [*wrong, *(f"{name} stays" for name in left)]


def _kill_once(
    place: Path, arguments: Sequence[str], reference: Reference, rng: random.Random
) -> bool:
    """Start, kill; False if the command was done before."""
    by_time = rng.random() < 0.5
    number = 0 if by_time else rng.randint(1, reference.operations)
    running = _start(arguments, place, number)
    if by_time:
        time.sleep(rng.uniform(_LEAST, 1.0) * reference.seconds)
        running.kill()
    status = running.wait()
    _wait_for_group(running.pid)
    if status not in (0, -signal.SIGKILL):
        _fail(place, arguments, status)
    return status != 0


def _measure(place: Path, trial: Trial) -> Reference:
    place.mkdir(parents=True)
    trial.prepare(place)
    began = time.monotonic()
    _run(trial.first, place)
    seconds = time.monotonic() - began
    operations = int((place / "count").read_text())
    return Reference(contents(place / trial.output), seconds, operations)


def _run(arguments: Sequence[str], place: Path) -> None:
    running = _start(arguments, place, 0)
    if status := running.wait():
        _fail(place, arguments, status)


def _fail(place: Path, arguments: Sequence[str], status: int) -> NoReturn:
    log = (place / "log").read_text(errors="replace")
    message = f"{' '.join(arguments)} ended with {status}: ... {log[-1000:]}"
    raise RuntimeError(message)


def _start(
    arguments: Sequence[str], place: Path, number: int
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(KILLED), str(number), "count", *arguments]
    log = (place / "log").open("ab")
    with log:
        return subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=place, stdout=log, stderr=log, start_new_session=True
        )


def _wait_for_group(group: int) -> None:
    """Wait until the workers of a killed process have noticed and ended."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    message = f"the workers of process {group} go on after it was killed"
    raise RuntimeError(message)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of each command")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--only", action="append", help="this command; may be repeated")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
