"""Take from lungcli what a machine may take: room, rights, files, workers, memory.

    python faults/machine.py

Each fault is one line of a table in Markdown: what was expected, and what was seen. The
faults of disks mount small ones in memory, which takes root or a container that allows
it; without, they are skipped, and the table says so.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import faults_of_disks
import faults_of_processes
import trials
from place import Place, Row, can_mount, lungcli

_MOST = 240  # characters of what was seen

_TRIALS: tuple[Callable[[Place], Iterable[Row]], ...] = (
    *faults_of_processes.TRIALS,
    *faults_of_disks.TRIALS,
)


def main() -> None:
    """Try every fault and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="name of a trial")
    wanted = parser.parse_args().only
    # a shell that starts this in the background has it ignore Ctrl-C, and all it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("| fault | command | expected | seen | |\n|---|---|---|---|---|", flush=True)  # noqa: T201
    failed = False
    with tempfile.TemporaryDirectory(prefix="lungcli-faults-") as name:
        place = _make_place(Path(name))
        mounts = can_mount(place.folder)
        for trial in _TRIALS:
            if wanted and trial.__name__ not in wanted:
                continue
            if trial in faults_of_disks.TRIALS and not mounts:
                print(f"| {trial.__name__} | | | skipped: nothing can be mounted | |")  # noqa: T201
                continue
            for row in trial(place):
                failed |= not row.ok
                print(_line(row, name), flush=True)  # noqa: T201
    sys.exit(failed)


def _line(row: Row, folder: str) -> str:
    seen = " ".join(row.seen.replace(folder, "…").replace("|", "\\|").split())
    if len(seen) > _MOST:
        seen = f"{seen[: _MOST // 2]} … {seen[-_MOST // 2 :]}"
    mark = "ok" if row.ok else "**not ok**"
    return f"| {row.fault} | `{row.command}` | {row.expected} | {seen} | {mark} |"


def _make_place(folder: Path) -> Place:
    source = trials.write_material(folder, count=12)
    prepared, model = folder / "prepared", folder / "model"
    lungcli("prepare", source, "--size", 64, "--out", prepared, where=folder)
    lungcli(*trials.train_arguments(prepared, epochs=2, run=model), where=folder)
    return Place(folder=folder, source=source, prepared=prepared, model=model)


if __name__ == "__main__":
    main()
