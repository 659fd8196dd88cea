"""Work that only TensorFlow can do, in a process where Keras runs on it."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from lungcli.errors import ModelError


def run_with_tensorflow(module: str, folder: Path, *arguments: Path | str) -> None:
    """Run a module of this package with `KERAS_BACKEND=tensorflow`, and wait.

    Args:
        module: Its full name.
        folder: The run that it exports, its first argument.
        arguments: The others; paths are made absolute.

    Raises:
        ModelError: If TensorFlow is not installed, or it fails; then the message is
            the last line of its stderr.
    """
    if importlib.util.find_spec("tensorflow") is None:
        msg = (
            f"cannot export {folder}: that goes through TensorFlow, which is not "
            "installed. Run: pip install tensorflow."
        )
        raise ModelError(msg)
    given = [str(a.resolve()) if isinstance(a, Path) else a for a in arguments]
    command = [sys.executable, "-m", module, str(folder.resolve()), *given]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    # S603: the command is a module of our own
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        msg = f"cannot export {folder} ({last})."
        raise ModelError(msg)
