"""Run lungcli as a user does, and measure what it took."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass

MOST_SECONDS = 200  # of the processor: a hang ends here, a busy machine ends nothing

# A small process in between: the memory of a child counts that of whom it was forked
# from, and the tests around may hold gigabytes.
MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)
"""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What became of a command: exit status, what it said, its memory at most."""

    status: int
    stdout: str
    stderr: str
    most_mb: int


def lungcli(*arguments, folder):
    """Run a command in a folder, with nothing on stdin."""
    command = [sys.executable, "-m", "lungcli", *map(os.fspath, arguments)]
    with tempfile.NamedTemporaryFile("r") as memory:
        measured = [sys.executable, "-c", MEASURE, memory.name, *command]
        done = subprocess.run(
            [
                "/bin/sh",
                "-c",
                f'ulimit -t {MOST_SECONDS} && exec "$@"',
                "sh",
                *measured,
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        kilobytes = int(memory.read())
    return Finished(
        status=done.returncode,
        stdout=done.stdout.decode(errors="replace"),
        stderr=done.stderr.decode(errors="replace"),
        most_mb=kilobytes // 1024,
    )
