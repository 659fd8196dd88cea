"""Rich progress bars behind the plain callback of `lungcli.system.progress`."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from lungcli.cli.output import err, is_live
from lungcli.system.progress import Progress, silent


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield a callback that draws one bar per task on stderr.

    Nothing is drawn where stdout or stderr is no terminal: a log file is not for
    bars.
    """
    if not is_live():
        yield silent
        return
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=err,
    ) as bars:
        ids: dict[str, TaskID] = {}

        def advance(task: str, done: int, total: int) -> None:
            if task not in ids:
                ids[task] = bars.add_task(task, total=total)
            bars.update(ids[task], completed=done, total=total)

        yield advance


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")
