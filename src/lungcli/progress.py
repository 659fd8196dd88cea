"""How long loops tell how far they are, without knowing who listens."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as `progress(task, done, total)`, first with `done=0`; tasks have fixed names."""


def silent(task: str, done: int, total: int) -> None:
    """Listen to nothing: the default of the Python API."""
