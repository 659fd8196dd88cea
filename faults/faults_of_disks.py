"""What disks do: run full, become read-only, lose files."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import trials
from place import (
    Place,
    Row,
    Seen,
    fill,
    give_rights,
    lungcli,
    make_room,
    meddled,
    small_disk,
    take_rights,
)

_LINE = "exit 1, one line; nothing half-written; the re-run is whole"


def commands(place: Place, out: Path) -> dict[str, tuple[str, list[str]]]:
    """Return each command that writes, and a path that it touches halfway."""
    data = ["--data", str(place.prepared), "--model", str(place.model)]
    xrays = str(place.source / "CXR_png")
    size = ["--size", "64", "--workers", "1"]
    return {
        "prepare": (
            "masks/PHANTOM_0005",
            ["prepare", str(place.source), "--out", str(out), *size],
        ),
        "predict": (
            ".part-PHANTOM_0005",
            ["predict", xrays, "--out", str(out), "--resume"],
        ),
        "evaluate": (
            ".part-cases.csv",
            ["evaluate", *data, "--split", "all", "--out", str(out)],
        ),
        "visualize": (
            ".part-output",
            ["visualize", *data, "--split", "all", "--side", "64", "--out", str(out)],
        ),
        "stress": (
            ".part-stress_cases.csv",
            ["stress", *data, "--cases", "1", "--only", "noise", "--out", str(out)],
        ),
    }


def disk_runs_full(place: Place) -> Iterator[Row]:
    """Fill the disk in the middle of each command, make room, run again."""
    yield from _spoil(place, "the disk runs full halfway", fill, make_room)


def rights_are_lost(place: Place) -> Iterator[Row]:
    """Take the right to write in the middle of each command, and give it back."""
    yield from _spoil(place, "rights are lost halfway", take_rights, give_rights)


def _spoil(
    place: Place,
    fault: str,
    spoil: Callable[[Path], str],
    mend: Callable[[Path], None],
) -> Iterator[Row]:
    root = place.new(fault.replace(" ", "-"))
    for name, (pattern, arguments) in commands(place, root / "whole").items():
        lungcli(*arguments, where=root)
        whole = trials.contents(root / "whole")
        with small_disk(root / "disk") as disk:
            _, again = commands(place, disk / "out")[name]
            seen = meddled(pattern, spoil(disk), *again, where=root)
            mend(disk)
            left = trials.contents(disk / "out") if (disk / "out").exists() else {}
            wrong = [each for each in left if trials.is_leftover(each)]
            second = lungcli(*again, where=root)
            found = trials.contents(disk / "out")
            unlike = {each for each in whole if _differs(found, whole, each)}
        shutil.rmtree(root / "whole")
        shutil.rmtree(root / "disk")
        yield Row(
            fault=fault,
            command=name,
            expected=_LINE,
            seen=_tell(seen, second, wrong, unlike),
            ok=seen.status == 1
            and seen.clean
            and bool(seen.message)
            and second.status == 0
            and not unlike,
        )


def _differs(found: trials.Contents, whole: trials.Contents, name: str) -> bool:
    return not name.endswith(".jsonl") and found.get(name) != whole[name]


def _tell(seen: Seen, second: Seen, left: list[str], unlike: set[str]) -> str:
    said = f"{seen.text}; re-run: exit {second.status}"
    if left:
        said += f"; left: {', '.join(left[:3])}"
    if unlike:
        said += f"; differs: {', '.join(sorted(unlike)[:3])}"
    return said


def training_runs_full(place: Place) -> Iterator[Row]:
    """Fill the disk, or take the right to write, in an epoch; then resume."""
    for fault, spoil, mend in (
        ("the disk runs full in epoch 3", fill, make_room),
        ("rights are lost in epoch 3", take_rights, give_rights),
    ):
        root = place.new("train-" + fault.replace(" ", "-"))
        arguments = trials.train_arguments(place.prepared, epochs=5)
        lungcli(*arguments, where=root)
        whole = trials.contents(root / "run")
        with small_disk(root / "disk") as disk:
            run = disk / "run"
            again = trials.train_arguments(place.prepared, epochs=5, run=run)
            seen = meddled("evolution/.part-00003", spoil(disk), *again, where=root)
            mend(disk)
            second = lungcli("train", "--resume", "--run", run, where=root)
            found = trials.contents(run)
            unlike = {each for each in whole if found.get(each) != whole[each]}
            left = [each for each in found if trials.is_leftover(each)]
        yield Row(
            fault=fault,
            command="train",
            expected="exit 1, one line; --resume gives the same bytes",
            seen=_tell(seen, second, left, unlike),
            ok=seen.status == 1 and seen.clean and second.status == 0 and not unlike,
        )


def read_only_from_the_start(place: Place) -> Iterator[Row]:
    """Write to a disk that is read-only."""
    root = place.new("read-only")
    with small_disk(root / "disk") as disk:
        _mount("remount,ro", disk)
        for name, (_, arguments) in commands(place, disk / "out").items():
            yield _refused("read-only output", name, lungcli(*arguments, where=root))
        train = trials.train_arguments(place.prepared, epochs=1, run=disk / "run")
        seen = lungcli(*train, where=root)
        yield _refused("read-only output", "train", seen)


def no_room_for_temporary_files(place: Place) -> Iterator[Row]:
    """Let TMPDIR run full; where it is from the start, Python takes another place."""
    root = place.new("tmpdir")
    with small_disk(root / "disk", "16k") as disk:
        for name in ("evaluate", "visualize"):
            _, arguments = commands(place, root / name)[name]
            environment = ["env", f"TMPDIR={disk}"]
            seen = lungcli(*arguments, where=root, prefix=environment)
            yield _refused("TMPDIR runs full", name, seen)


def _refused(fault: str, command: str, seen: Seen) -> Row:
    return Row(
        fault=fault,
        command=command,
        expected="exit 1, one line",
        seen=seen.text,
        ok=seen.status == 1 and seen.clean and bool(seen.message),
    )


def files_vanish(place: Place) -> Iterator[Row]:
    """Remove an X-ray after it was listed and before it is read."""
    root = place.new("vanish")
    source = root / "phantoms"
    shutil.copytree(place.source, source)
    victim = next(source.rglob("CXR_png/PHANTOM_0009*"))
    mine = Place(root, source, place.prepared, place.model)
    expected = {"prepare": (0, "is in audit.csv"), "predict": (3, "exit 3")}
    for name, (status, what) in expected.items():
        pattern, arguments = commands(mine, root / name)[name]
        kept = victim.read_bytes()
        seen = meddled(pattern, f"rm '{victim}'", *arguments, where=root)
        victim.write_bytes(kept)
        audit = root / name / "audit.csv"
        listed = name != "prepare" or victim.stem in audit.read_text()
        yield Row(
            fault="an X-ray vanishes after it was listed",
            command=name,
            expected=f"{what}; the rest goes on",
            seen=seen.text,
            ok=seen.status == status and seen.clean and listed,
        )


def _mount(options: str, disk: Path) -> None:
    command = ["mount", "-o", options, str(disk)]
    subprocess.run(command, check=True)  # noqa: S603


TRIALS = (
    disk_runs_full,
    rights_are_lost,
    training_runs_full,
    read_only_from_the_start,
    no_room_for_temporary_files,
    files_vanish,
)
