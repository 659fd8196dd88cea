"""Peak memory of lungcli's commands, and of PyTorch training the same network.

    python benchmarks/memory.py
    python benchmarks/memory.py --data prepared --json

Each command is a process of its own; the kernel tells its largest resident memory when
it ends (that of its largest process, where it starts several). On a GPU the memory in
use on the whole device is watched, less what was in use before.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.table import Table

import machine
from lungcli.data.prepared import open_prepared
from lungcli.errors import LungcliError
from material import prepare_phantoms, save_pairs
from output import AsJson, open_console, print_document, stop
from spread import Spread, ratio, spread
from turns import FOLDER, GO, contestant_command, last_words

_TRAIN, _CLASSIC = "lungcli train", "lungcli train, classic U-Net"
_EVALUATE, _PREDICT = "lungcli evaluate", "lungcli predict"
_TORCH = "PyTorch, classic U-Net"
_CLASSIC_OPTIONS = (
    *("--arch", "unet", "--filters", "16", "--depth", "4"),
    *("--precision", "float32"),
)
_PHANTOMS = 40
_POLL_S = 0.1


class CommandError(Exception):
    """A measured command failed."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most memory that a command held, in MiB.

    Attributes:
        resident: Of its largest process.
        gpu: On the device; None without one.
    """

    resident: float
    gpu: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is trained on, and how.

    Attributes:
        data: A prepared data set.
        size: Side in pixels.
        batch_size: Images a step.
        epochs: Passes over the training cases.
    """

    data: Path
    size: int
    batch_size: int
    epochs: int


def peak_of(command: Sequence[str], *, cwd: Path, orders: str = "") -> Peak:
    """Run a command and return its peak memory.

    Args:
        command: The command.
        cwd: Where to run it.
        orders: What it reads from stdin.

    Raises:
        CommandError: If it fails.
    """
    env = {**os.environ, **machine.lungcli_env(best_device())}
    with GpuWatch() as gpu:
        done = subprocess.run(
            [sys.executable, str(FOLDER / "peak.py"), *command],
            cwd=cwd,
            env=env,
            input=orders,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        msg = f"{' '.join(command[:5])} ... failed: {last_words(done.stderr)}"
        raise CommandError(msg)
    return Peak(int(done.stdout) / 2**20, gpu.peak)


class GpuWatch:
    """Ask for the memory in use on the device, again and again."""

    def __init__(self) -> None:
        self.peak: float | None = None
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin, if there is a device."""
        self._before = _gpu_mib()
        if self._before is not None:
            self.peak = 0.0
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_S):
            more = (_gpu_mib() or 0.0) - (self._before or 0.0)
            self.peak = max(self.peak or 0.0, more)


def lungcli_commands(job: Job, folder: Path) -> dict[str, list[str]]:
    """Return the commands to measure, in the order that they need each other."""
    lungcli = [sys.executable, "-m", "lungcli"]
    data, run = ["--data", str(job.data)], str(folder / "run")
    train = [
        *[*lungcli, "train", *data, "--size", str(job.size)],
        *["--batch-size", str(job.batch_size), "--epochs", str(job.epochs)],
    ]
    evaluate = [*lungcli, "evaluate", *data, "--split", "val", "--model", run]
    predict = [*lungcli, "predict", str(job.data / "images"), "--model", run]
    return {
        _TRAIN: [*train, "--run", run],
        _EVALUATE: [*evaluate, "--out", str(folder / "evaluation")],
        _PREDICT: [*predict, "--out", str(folder / "masks")],
        _CLASSIC: [*train, *_CLASSIC_OPTIONS, "--run", str(folder / "classic")],
    }


def torch_command(job: Job, folder: Path) -> list[str]:
    """Return PyTorch's training of the classic U-Net on as many images."""
    pairs = folder / "pairs.npz"
    dataset = open_prepared(job.data)
    count = max(len(dataset.select("train")), job.batch_size)
    save_pairs(pairs, data=[job.data], count=count, size=job.size)
    settings = {
        "pairs": str(pairs),
        "rounds": job.epochs,
        "network": "classic",
        "filters": 16,
        "depth": 4,
        "compiled": False,
        "precision": "float32",
        "device": best_device(),
        "batch_size": job.batch_size,
    }
    return contestant_command("torch_contestant.py", settings)


def measure(job: Job, rounds: int) -> dict[str, list[Peak]]:
    """Run all commands in turns.

    Raises:
        CommandError: If one fails.
    """
    peaks: dict[str, list[Peak]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for label, command in lungcli_commands(job, folder).items():
                peaks.setdefault(label, []).append(peak_of(command, cwd=folder))
            if find_spec("torch"):
                command = torch_command(job, folder)
                peak = peak_of(command, cwd=folder, orders=GO * job.epochs)
                peaks.setdefault(_TORCH, []).append(peak)
    return peaks


def best_device() -> str:
    """Return `cuda` if there is such a device, else `cpu`."""
    return machine.CUDA if machine.gpu_name() else machine.CPU


def show(console: Console, peaks: Mapping[str, Sequence[Peak]]) -> None:
    """Print a row a command: median (lowest-highest) of its turns."""
    table = Table(title="peak memory, MiB", title_justify="left")
    table.add_column("command")
    table.add_column("resident", justify="right")
    table.add_column("GPU", justify="right")
    for name, found in peaks.items():
        gpu = [one.gpu for one in found if one.gpu is not None]
        resident = spread([one.resident for one in found]).text(0)
        table.add_row(name, resident, spread(gpu).text(0) if gpu else "-")
    console.print(table)


def main(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            help="Folder written by 'lungcli prepare'.",
            show_default="phantoms",
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Side in pixels.")] = 256,
    batch_size: Annotated[int, typer.Option(help="Images a step.", min=1)] = 8,
    epochs: Annotated[int, typer.Option(help="Of each training.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(help="Turns of each.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Measure the peak memory of train, evaluate and predict, and of PyTorch."""
    console = open_console(as_json=as_json)
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepared = data or prepare_phantoms(
                Path(folder), count=_PHANTOMS, size=2 * size
            )
            job = Job(
                data=prepared.resolve(),
                size=size,
                batch_size=batch_size,
                epochs=epochs,
            )
            peaks = measure(job, rounds)
    except (CommandError, LungcliError) as error:
        stop(str(error))
    show(console, peaks)
    found = _ratio(peaks)
    if found is None:
        console.print("  PyTorch skipped (not installed: torch)")
    else:
        text = found.text(2)
        console.print(f"  {_CLASSIC} / {_TORCH}, resident: {text}", soft_wrap=True)
    if as_json:
        figures = {
            "peaks_mib": {n: [asdict(p) for p in found] for n, found in peaks.items()},
            "classic_to_torch": found.to_dict() if found else None,
        }
        print_document("memory", figures)


def _ratio(peaks: Mapping[str, Sequence[Peak]]) -> Spread | None:
    if _TORCH not in peaks:
        return None
    ours, theirs = (
        [one.resident for one in peaks[name]] for name in (_CLASSIC, _TORCH)
    )
    return ratio(ours, theirs)


def _gpu_mib() -> float | None:
    answer = machine.query_gpu("memory.used")
    return float(answer) if answer else None


if __name__ == "__main__":
    typer.run(main)
