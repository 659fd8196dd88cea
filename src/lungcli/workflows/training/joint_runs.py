"""Where each of the processes that train one run writes."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lungcli.errors import ModelError
from lungcli.model.runs import RunFolder
from lungcli.nn.distribution import failing_together, this_process
from lungcli.system.locks import locked
from lungcli.system.temporary import private_folder


@contextmanager
def folder_of_process(
    folder: RunFolder, *, check: Callable[[RunFolder], None] | None = None
) -> Iterator[RunFolder]:
    """Yield the folder that this process writes to.

    Process 0, or the only one, writes to the run's own, which is locked meanwhile. All
    others do the same work and leave nothing: they write to a folder of their own that
    is removed in the end.

    Args:
        folder: The run.
        check: Refuses the folder of a new run; None goes on with an old one, which all
            processes must see.

    Raises:
        ConfigError: If the folder is refused, here or in another process.
        ModelError: If the run cannot be read.
        OutputError: If another training has the lock, or the folder is not writable.
    """
    with ExitStack() as stack:
        with failing_together():
            if this_process().index == 0:
                stack.enter_context(locked(folder.root, option="--run"))
                own = folder
            else:
                own = RunFolder(stack.enter_context(private_folder()) / "run")
                _fill(own.root, folder.root if check is None else None)
            if check is not None:
                check(own)
        yield own


def _fill(target: Path, source: Path | None) -> None:
    if source is None:
        target.mkdir()
        return
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*"))
    except (OSError, shutil.Error) as error:
        msg = (
            f"cannot read the run {source} ({error}). All machines must see it under "
            "the same path."
        )
        raise ModelError(msg) from error
