"""How long loops tell how far they are, without knowing who listens."""

from collections.abc import Callable

# Called as progress(task, done, total), first with done=0; a task keeps its name.
Progress = Callable[[str, int, int], None]


def silent(task: str, done: int, total: int) -> None:
    """Listen to nothing: the default of the Python API."""
