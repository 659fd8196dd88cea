"""Run lungcli as a user does, and measure what it took."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass

MOST_SECONDS = 200  # of the processor: a hang ends here, a busy machine ends nothing


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
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'ulimit -t {MOST_SECONDS} && exec "$@"', "sh", *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
    return Finished(
        status=process.returncode,
        stdout=texts[0],
        stderr=texts[1],
        most_mb=usage.ru_maxrss // 1024,
    )
