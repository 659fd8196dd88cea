"""What happens to processes: killed workers, two at once, signals, strange names."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import trials
from place import Place, Row, Seen, lungcli, lungcli_line, meddled

_LONG = "ü" * 100 + "x" * 46 + ".png"  # 250 bytes


def a_worker_is_killed(place: Place) -> Iterator[Row]:
    """Kill one process of the pool, as the kernel does when memory runs out."""
    root = place.new("worker")
    arguments = ["prepare", str(place.source), "--size", "64", "--out", "out"]
    command = [sys.executable, "-m", "lungcli", *arguments, "--workers", "2"]
    running = subprocess.Popen(  # noqa: S603
        command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    _wait_for(lambda: bool(_workers(running.pid)))
    os.kill(_workers(running.pid)[0], signal.SIGKILL)
    _, errors = running.communicate()
    again = lungcli(*arguments, where=root)
    left = [path.name for path in root.rglob(".*")]
    yield Row(
        fault="a worker is killed",
        command="prepare",
        expected="exit 1, one line; nothing left; the re-run is whole",
        seen=f"exit {running.returncode}, “{errors.strip()[:110]}”; re-run: exit "
        f"{again.status}",
        ok=running.returncode == 1
        and "Traceback" not in errors
        and again.status == 0
        and not left,
    )


def two_into_one_folder(place: Place) -> Iterator[Row]:
    """Start the same command again while it is at work."""
    data = ["--data", str(place.prepared), "--model", str(place.model)]
    everything = {
        "prepare": (
            "out/images",
            ["prepare", place.source, "--size", 64, "--workers", 1],
        ),
        "predict": (".part-PHANTOM_0005", ["predict", place.source / "CXR_png"]),
        "evaluate": (".part-cases.csv", ["evaluate", *data, "--split", "all"]),
        "visualize": (".part-output", ["visualize", *data, "--split", "all"]),
        "stress": (".part-stress", ["stress", *data, "--cases", 1, "--only", "noise"]),
    }
    for name, (pattern, arguments) in everything.items():
        yield _start_twice(place, name, pattern, [*arguments, "--out", "out"])
    train = trials.train_arguments(place.prepared, epochs=2)
    yield _start_twice(place, "train", ".part-history", train)
    again = ["train", "--resume", "--run", "run", "--epochs", 3]
    yield _start_twice(place, "train --resume", ".part-history", again, first=train)


def _start_twice(
    place: Place,
    name: str,
    pattern: str,
    arguments: list[object],
    first: list[str] | None = None,
) -> Row:
    root = place.new(f"two-{name}")
    if first:
        lungcli(*first, where=root)
    line = f"{lungcli_line(*arguments)} > second.log 2>&1; echo $? > second.rc"
    seen = meddled(pattern, line, *arguments, where=root)
    second = (root / "second.log").read_text().strip().splitlines()[-1]
    status = (root / "second.rc").read_text().strip()
    left = [path.name for path in root.rglob(".l*")]
    return Row(
        fault="two into one folder",
        command=name,
        expected="the second: exit 1, names process and folder; the first goes on",
        seen=f"second: {Seen(int(status), second, '').text}; first: {seen.text}",
        ok=seen.status == 0
        and status == "1"
        and "is in use by process" in second
        and not left,
    )


def no_shared_memory(place: Place) -> Iterator[Row]:
    """Let /dev/shm have no byte free."""
    hide = "mount -t tmpfs -o size=4k tmpfs /dev/shm && dd if=/dev/zero of=/dev/shm/x"
    hide += ' bs=4k 2>/dev/null; exec "$@"'
    prefix = ["unshare", "-m", "sh", "-c", hide, "sh"]
    root = place.new("shm")
    train = trials.train_arguments(place.prepared, epochs=1)
    everything: dict[str, list[object]] = {
        "prepare": ["prepare", place.source, "--out", "p", "--workers", 2],
        "train": [*train],
        "predict": ["predict", place.source / "CXR_png", "--out", "m"],
    }
    for name, arguments in everything.items():
        seen = lungcli(*arguments, where=root, prefix=prefix)
        yield _row("0 bytes of shared memory", name, "exit 0", seen, seen.status == 0)


def strange_names(place: Place) -> Iterator[Row]:
    """Go through a whole session below a folder, and with files, of odd names."""
    folders = ("a b  c", "żółć 肺 [bold]", "-x;$HOME `id`", "ü" * 120)
    for name in folders:
        root = place.new(f"names/{name}")
        xray = next(place.source.rglob("CXR_png/*.png"))
        (root / "in [put]").mkdir()
        shutil.copy(xray, root / "in [put]" / _LONG)
        shutil.copytree(place.source, root / "so urce")
        train = trials.train_arguments("pre pared", epochs=1, run="r un")
        session: list[list[object]] = [
            ["prepare", "so urce", "--out", "pre pared", "--size", 64],
            [*train],
            ["evaluate", "--data", "pre pared", "--model", "r un", "--split", "all"],
            ["visualize", "--data", "pre pared", "--model", "r un", "--side", 64],
            ["predict", "in [put]", "--out", "ma sks", "--format", "png,csv"],
        ]
        seen = [lungcli(*arguments, where=root) for arguments in session]
        bad = next((each for each in seen if each.status or not each.clean), seen[-1])
        shown = name if len(name) < 40 else f"{len(name.encode())} bytes"
        made = (root / "ma sks" / _LONG).exists()
        yield _row(
            f"folder “{shown}”, file of 250 bytes",
            "prepare … predict",
            "exit 0 each",
            bad,
            all(each.status == 0 and each.clean for each in seen) and made,
        )


def clock_jumps(place: Place) -> Iterator[Row]:
    """Set the times of all files to 1990 or 2090 between two runs."""
    root = place.new("clock")
    train = trials.train_arguments(place.prepared, epochs=3)
    lungcli(*train, where=root)
    expected = trials.contents(root / "run")
    for year in ("1990", "2090"):
        folder = place.new(f"clock-{year}")
        touch = f"find {shlex.quote(str(folder))} -exec touch -d {year}-01-01 {{}} +"
        stop = f"{touch}; kill -9 $PPID"
        meddled("evolution/.part-00002", stop, *train, where=folder)
        subprocess.run(touch, shell=True, check=True)  # noqa: S602
        second = lungcli("train", "--resume", "--run", "run", where=folder)
        same = trials.contents(folder / "run") == expected
        said = Seen(second.status, "same bytes" if same else "differs", second.errors)
        ok = same and second.status == 0
        yield _row(f"files of {year}", "train --resume", "same bytes", said, ok)


def outputs_cannot_be_written(place: Place) -> Iterator[Row]:
    """Let stdout or stderr be a full disk, or a pipe that nobody reads."""
    root = place.new("streams")
    train = trials.train_arguments(place.prepared, epochs=1)
    for stream, command, status in (
        ("> /dev/full", ["info", "--json"], 1),
        ("> /dev/full", ["--help"], 1),
        ("2> /dev/full", train, 0),
        (">&- 2>&-", ["info"], 0),
    ):
        line = f"{lungcli_line(*command)} {stream}"
        done = subprocess.run(  # noqa: S602
            line, shell=True, cwd=root, capture_output=True, text=True, check=False
        )
        errors = done.stderr
        seen = Seen(done.returncode, errors.strip()[:100], errors)
        ok = done.returncode == status and seen.clean
        yield _row(f"`{stream}`", command[0], f"exit {status}, no traceback", seen, ok)


def signals(place: Place) -> Iterator[Row]:
    """Send what a scheduler, a terminal and an impatient person send."""
    train = trials.train_arguments(place.prepared, epochs=500)
    for fault, numbers, status in (
        ("SIGTERM", [signal.SIGTERM], 143),
        ("Ctrl-C", [signal.SIGINT], 130),
        ("Ctrl-C twice", [signal.SIGINT, signal.SIGINT], 130),
        ("SIGTERM twice", [signal.SIGTERM, signal.SIGTERM], 143),
    ):
        root = place.new(fault.replace(" ", "-"))
        running = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "lungcli", *train],
            cwd=root,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        state = root / "run" / "state"
        _wait_for(lambda state=state: bool(list(state.glob("epoch-*.json"))))
        for number in numbers:
            running.send_signal(number)
            time.sleep(0.6)
        _, errors = running.communicate()
        left = [path.name for path in (root / "run").rglob(".part-*")]
        done = len((root / "run" / "history.csv").read_text().splitlines())
        again = ["train", "--resume", "--run", "run", "--epochs", done]
        second = lungcli(*again, where=root)
        last = errors.strip().splitlines()[-1][:60]
        said = f"{last}; left: {', '.join(left) or 'nothing'}; re-run: {second.status}"
        # a shell calls both by the same number
        ended = (status, -numbers[-1])[: len(numbers)]
        ok = running.returncode in ended and second.status == 0
        ok &= "Traceback" not in errors and (len(numbers) == 2 or not left)
        seen = Seen(running.returncode, said, errors)
        yield _row(fault, "train", f"exit {status}; --resume goes on", seen, ok)


def _row(fault: str, command: str, expected: str, seen: Seen, ok: bool) -> Row:
    return Row(fault, command, expected, seen.text, ok and seen.clean)


def _workers(parent: int) -> list[int]:
    """Return the processes of the pool: children that spawn started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if int(stat[1]) == parent and b"spawn_main" in line:
            found.append(int(folder.name))
    return sorted(found)


def _wait_for(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 120
    while not condition():
        if time.monotonic() > give_up:
            message = "nothing happened in two minutes"
            raise RuntimeError(message)
        time.sleep(0.01)


TRIALS = (
    a_worker_is_killed,
    two_into_one_folder,
    no_shared_memory,
    strange_names,
    clock_jumps,
    outputs_cannot_be_written,
    signals,
)
