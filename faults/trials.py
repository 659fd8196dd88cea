"""What is killed: commands on phantoms, and how their outputs are judged."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from lungcli.model.onnx_session import open_session
from lungcli.nn.state import load_state
from lungcli.phantom import write_montgomery

NETWORK = ["--size", "64", "--filters", "4", "--depth", "2", "--batch-size", "4"]
HIDDEN = (".part-", ".old-", ".lock-", ".lungcli.lock")  # leftovers of a kill

Contents = dict[str, bytes]


def contents(folder: Path) -> Contents:
    """Return every file below a folder, hidden leftovers of a kill as well.

    But for the column of `predictions.csv` that says how long it took; and of an
    exported network what it computes, since the exporter names tensors by chance.
    """
    return {
        str(path.relative_to(folder)): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _read(path: Path) -> bytes:
    if path.name == "model.onnx":
        return _compute(path)
    if path.name != "predictions.csv":
        return path.read_bytes()
    with path.open(newline="") as lines:
        rows = [{**row, "seconds": ""} for row in csv.DictReader(lines)]
    return repr(rows).encode()


def _compute(path: Path) -> bytes:
    session = open_session(path, threads=1)
    side = session.get_inputs()[0].shape[1]
    image = np.random.default_rng(0).random((1, side, side, 1), np.float32)
    return bytes(session.run(None, {"image": image})[0].tobytes())


def is_leftover(name: str) -> bool:
    """Tell whether a file is what only a killed process leaves."""
    return any(part.startswith(HIDDEN) for part in Path(name).parts)


@dataclass(frozen=True, slots=True)
class Trial:
    """One command, to be killed again and again.

    Attributes:
        name: In the table.
        first: Arguments of the first try.
        again: Arguments of every further one, given the folder; none if all is done.
        output: Folder of the output in the folder of the trial.
        judge: Returns what is wrong with the output after a kill, given the output of
            a run that was not killed.
        unlike: Outputs that may differ: journals tell in which order things came.
        prepare: Makes what the first try finds.
    """

    name: str
    first: Sequence[str]
    again: Callable[[Path], Sequence[str]]
    output: str
    judge: Callable[[Path, Contents], list[str]]
    unlike: frozenset[str] = frozenset()
    prepare: Callable[[Path], None] = field(default=lambda folder: None)


def write_material(folder: Path, *, count: int = 24) -> Path:
    """Draw phantoms; returns the folder of the source."""
    source = folder / "phantoms"
    write_montgomery(source, count=count, size=160, workers=1)
    return source


def judge_folder(folder: Path, whole: Contents) -> list[str]:
    """A prepared data set is there as a whole, or not at all."""
    if not folder.exists():
        return []
    return _differences(contents(folder), whole, complete=True)


def judge_files(folder: Path, whole: Contents) -> list[str]:
    """Each file is there as a whole, or not at all."""
    return _differences(contents(folder), whole, complete=False)


def judge_evaluation(folder: Path, whole: Contents) -> list[str]:
    """Likewise; and where the summary is, everything is."""
    found = contents(folder)
    wrong = _differences(found, whole, complete=False)
    if "summary.json" in found:
        wrong += _differences(found, whole, complete=True)
    return wrong


def judge_predictions(folder: Path, whole: Contents) -> list[str]:
    """Each file but the journal and the tables, which grow, is whole."""
    tables = {name for name in whole if name.endswith((".csv", ".jsonl"))}
    found = contents(folder)
    files = {name: found[name] for name in found if name not in tables}
    return _differences(files, whole, complete=False)


def judge_run(folder: Path, whole: Contents) -> list[str]:
    """The state can be read, the history has whole rows, pictures can be opened."""
    wrong = []
    state = load_state(folder / "state")
    if state is not None and state.damaged:
        wrong += state.damaged
    history = folder / "history.csv"
    rows = history.read_text().splitlines() if history.exists() else []
    expected = whole["history.csv"].decode().splitlines()
    if rows != expected[: len(rows)]:
        wrong.append("history.csv differs from the run that was not killed")
    if state is not None and len(rows) - 1 < state.epoch:
        wrong.append("history.csv has fewer epochs than the state")
    for path in folder.rglob("*.png"):
        if not is_leftover(path.name):
            with Image.open(path) as image:
                np.asarray(image)
    return wrong


def train_again(folder: Path) -> Sequence[str]:
    """Go on, or begin again if nothing had begun."""
    run = folder / "run"
    if (run / "model.json").exists():
        return ["train", "--resume", "--run", "run"]
    return train_arguments(folder.parents[1] / "prepared")


def train_arguments(
    prepared: Path | str, *, epochs: int = 8, run: Path | str = "run"
) -> list[str]:
    """Return the arguments of a short training whose result is the same each time."""
    settings = [*NETWORK, "--epochs", str(epochs), "--learning-rate", "0.01"]
    data = ["--data", str(prepared), "--run", str(run)]
    return ["train", *data, *settings]


def _differences(found: Contents, whole: Contents, *, complete: bool) -> list[str]:
    real = {name: each for name, each in found.items() if not is_leftover(name)}
    unlike = [name for name, each in real.items() if each != whole.get(name)]
    wrong = [f"{name} is not whole" for name in unlike]
    if complete:
        wrong += [f"{name} is missing" for name in whole if name not in real]
    return wrong
