"""The steps run: folders filled, commands called, what they wrote and said listed."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from layout import CannotCompareError, Side
from servers import serve
from session import SHORT, Step

PROGRAMS: Final = Path(__file__).with_name("programs")
# Programs that change something in a class or beside it are told its module.
CHANGED: Final = {"stopped": "TrainingView", "small_demo": "DemoResult"}
TIMEOUT: Final = 900  # seconds a command


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step has done on a side.

    Attributes:
        side: The side.
        seconds: How long its commands took.
        said: For each command, a file with what it said and its exit status.
        files: What it wrote, by name; None was removed.
    """

    side: Side
    seconds: float
    said: Mapping[str, Path]
    files: Mapping[str, Path | None]


def run_all(
    steps: Sequence[Step], sides: Sequence[Side], data: Path, jobs: int
) -> Iterator[tuple[Step, list[Outcome]]]:
    """Run all steps on both sides, so many at a time; yield each that is done.

    A step waits for those that it needs. These come first, so one is always running.
    """
    running: dict[tuple[str, str], Future[Outcome]] = {}

    def run(step: Step, side: Side) -> Outcome:
        for needed in step.needs:
            running[needed, side.name].result()
        return run_step(step, side, data)

    with ThreadPoolExecutor(jobs) as pool:
        for step in steps:
            for side in sides:
                running[step.name, side.name] = pool.submit(run, step, side)
        try:
            for step in steps:
                yield step, [running[step.name, side.name].result() for side in sides]
        finally:
            pool.shutdown(cancel_futures=True)


def run_step(step: Step, side: Side, data: Path) -> Outcome:
    """Fill the folder of a step, run its commands, and see what they changed."""
    folder = side.folder(step.name)
    _fill(folder, step, side, data)
    before = _states(folder) if step.commands else {}
    begun = time.monotonic()
    said = _run_commands(step, side)
    seconds = time.monotonic() - begun
    after = _states(folder)
    changed = [name for name, state in after.items() if before.get(name) != state]
    gone = [name for name in before if name not in after]
    files = {name: folder / name for name in changed} | dict.fromkeys(gone)
    return Outcome(side, seconds, said, files)


def _fill(folder: Path, step: Step, side: Side, data: Path) -> None:
    folder.mkdir(parents=True)
    for name in step.sets:
        (folder / name).symlink_to(data / name, target_is_directory=True)
    for taken in step.takes:
        source, target = side.root / "work" / taken, folder / Path(taken).name
        if source.is_dir():  # else that step has failed, on this side at least
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    if step.make is not None:
        step.make(folder)


def _run_commands(step: Step, side: Side) -> dict[str, Path]:
    """Run all commands; write what each said and its exit status into a file."""
    said = {}
    folder = side.root / "said" / step.name
    folder.mkdir(parents=True)
    with serve(step.server, side.folder(step.name), side.bucket) as places:
        for number, command in enumerate(step.commands, start=1):
            done = _run_command(command, step, side, places)
            head = f"$ {command}\nexit status {done.returncode}\n--- stdout\n".encode()
            path = folder / f"{number:02}.txt"
            path.write_bytes(head + done.stdout + b"\n--- stderr\n" + done.stderr)
            said[f"{number:02} {command}"] = path
    return said


def _run_command(
    command: str, step: Step, side: Side, places: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    words = shlex.split(Template(command).substitute(SHORT, **places))
    folder, stdin = side.folder(step.name), b""
    if "<" in words:
        stdin = (folder / words[-1]).read_bytes()
        words = words[:-2]
    try:
        return subprocess.run(  # noqa: S603 - the commands of the session
            [sys.executable, *_program(words[0], side), *words[1:]],
            cwd=folder,
            env={**side.environment(), **step.env, **places},
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"{step.name}: {command} took more than {TIMEOUT} s"
        raise CannotCompareError(msg) from error


def _program(word: str, side: Side) -> list[str]:
    if word == "lungcli":
        return ["-m", "lungcli"]
    told = [side.module_of(CHANGED[word])] if word in CHANGED else []
    return [str(PROGRAMS / f"{word}.py"), *told]


def _states(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what changes whenever a file does, of all below a folder."""
    states: dict[str, tuple[int, ...]] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            stat = path.lstat()
            state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            is_folder = name in folders and not path.is_symlink()
            states[str(path.relative_to(folder))] = () if is_folder else state
    return states
