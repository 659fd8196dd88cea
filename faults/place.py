"""Where a fault is tried: commands, their messages, and disks that run full."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_DROP = "-dac_override,-dac_read_search"
_AS_OTHERS = ["setpriv", "--bounding-set", _DROP, "--"] if os.geteuid() == 0 else []
MEDDLE = Path(__file__).with_name("meddle.py")
_TIMEOUT = 300  # seconds; only a hang takes as long


@dataclass(frozen=True, slots=True)
class Seen:
    """How a command ended.

    Attributes:
        status: Its exit status.
        message: The last line on stderr that is an error or a note.
        errors: All of stderr.
    """

    status: int
    message: str
    errors: str

    @property
    def clean(self) -> bool:
        """Whether it ended in words, not in a traceback."""
        return "Traceback" not in self.errors and "Exception ignored" not in self.errors

    @property
    def text(self) -> str:
        """The same for people."""
        said = f"exit {self.status}"
        if self.message:
            said += f", “{self.message}”"
        if not self.clean:
            said += f"; a traceback: {self.errors.strip().splitlines()[-1]}"
        return said


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    fault: str
    command: str
    expected: str
    seen: str
    ok: bool


@dataclass(slots=True)
class Place:
    """A folder with phantoms, prepared phantoms and a trained network.

    Attributes:
        folder: For what the trials write.
        source: Phantoms.
        prepared: The same, prepared.
        model: A run on them.
        rows: What was found so far.
    """

    folder: Path
    source: Path
    prepared: Path
    model: Path
    rows: list[Row] = field(default_factory=list)

    def new(self, name: str) -> Path:
        """Make a folder for one trial."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder


def lungcli(*arguments: object, where: Path, prefix: Sequence[str] = ()) -> Seen:
    """Run a command in a folder."""
    return _run([*prefix, sys.executable, "-m", "lungcli", *map(str, arguments)], where)


def meddled(pattern: str, command: str, *arguments: object, where: Path) -> Seen:
    """Run a command, and a line of shell in the middle of it.

    Without the privilege of root to write where it must not.
    """
    start = [*_AS_OTHERS, sys.executable, str(MEDDLE), pattern, command]
    return _run([*start, *map(str, arguments)], where)


def lungcli_line(*arguments: object) -> str:
    """Return the line of shell for a command."""
    return shlex.join([sys.executable, "-m", "lungcli", *map(str, arguments)])


@contextmanager
def small_disk(path: Path, size: str = "64m") -> Iterator[Path]:
    """Mount a disk in memory; needs root, or a container that allows it."""
    path.mkdir(parents=True)
    subprocess.run(  # noqa: S603
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],  # noqa: S607
        check=True,
        capture_output=True,
    )
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)  # noqa: S603, S607


def can_mount(folder: Path) -> bool:
    """Tell whether disks can be mounted here."""
    try:
        with small_disk(folder / "mount-test"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def fill(disk: Path) -> str:
    """Return the line of shell that fills a disk to the last byte."""
    return f"dd if=/dev/zero of={shlex.quote(str(disk / 'filler'))} bs=4k 2>/dev/null"


def make_room(disk: Path) -> None:
    """Undo `fill`."""
    (disk / "filler").unlink(missing_ok=True)


def take_rights(disk: Path) -> str:
    """Return the line of shell after which nobody may write below a folder."""
    return f"chmod -R a-w {shlex.quote(str(disk))}"


def give_rights(disk: Path) -> None:
    """Undo `take_rights`."""
    subprocess.run(["chmod", "-R", "u+w", str(disk)], check=True)  # noqa: S603, S607


def _run(command: Sequence[str], where: Path) -> Seen:
    done = subprocess.run(  # noqa: S603
        command,
        cwd=where,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    lines = done.stderr.splitlines()
    said = [line for line in lines if line.startswith(("error", "note"))]
    return Seen(done.returncode, said[-1] if said else "", done.stderr)
