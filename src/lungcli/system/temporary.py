"""Folders for what nobody but this process needs, and only for a while."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield an empty folder that only this user can enter; removed at the end."""
    with tempfile.TemporaryDirectory(
        prefix="lungcli-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(os.path.realpath(folder))  # as messages have it
