"""Work spread over a Ray cluster, in order; a worker that is killed loses nothing."""

import logging
import os
import pickle
import platform
import warnings
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from lungcli.errors import ConfigError, LungcliError
from lungcli.workflows.shared.ray_session import CLIENT, connected

_RETRIES: Final = 3  # of a chunk whose worker was killed
_CHUNKS: Final = 16  # for each worker, so that all end at about the same time
_MOST: Final = 64  # tasks of a chunk
_AHEAD: Final = 4  # chunks under way from a cluster elsewhere

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_Work = Callable[[Any], Any]


def map_on_cluster(
    address: str, make: Callable[[], Callable[[_Task], _Result]], tasks: Sequence[_Task]
) -> Generator[_Result, None, None]:
    """Yield the result of every task, in the order of the tasks.

    Each worker is a process with one core. It works in the current folder of the
    caller, which must be there on its machine too, so that relative paths mean the
    same. What a killed worker had in hand is done again.

    Args:
        address: `local` starts Ray on this machine and ends it afterwards; `auto` is
            the cluster that this machine belongs to; others as `ray.init` takes them.
            Where this process is connected to Ray already, that connection is taken.
        make: Pickled to each worker and called there once; returns what does a task.
        tasks: Pickled, as the results are. Doing one twice must do no harm.

    Raises:
        ConfigError: If Ray is not installed, or there is no such cluster.
        LungcliError: If workers died again and again.
        Exception: What a task raised, the first in their order.
    """
    if not tasks:
        return
    with connected(address):
        import ray  # noqa: PLC0415 - takes half a second

        try:
            stream = _far_stream if address.startswith(CLIENT) else _stream
            for packed in stream(make, tasks, Path.cwd()):
                for result in _unpack(packed):
                    if isinstance(result, _Failure):
                        raise result.error
                    yield result
        except ray.exceptions.RayError as error:
            first = str(error).strip().partition("\n")[0]
            msg = (
                f"the workers of --cluster {address} died again and again ({first}). "
                "Perhaps memory is short, or one file ends them each time. Go on "
                "without --cluster, with --resume where there is one."
            )
            raise LungcliError(msg) from error


def _stream(
    make: Callable[[], _Work], tasks: Sequence[Any], folder: Path
) -> Iterator[bytes]:
    """Yield the packed results of chunks of tasks as Ray Data brings them."""
    import ray.data  # noqa: PLC0415 - takes a second

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    num_workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    size = min(_MOST, max(1, len(tasks) // (num_workers * _CHUNKS)))
    chunks = [
        {"tasks": _pack(tasks[start : start + size])}
        for start in range(0, len(tasks), size)
    ]
    items = ray.data.from_items(chunks, override_num_blocks=len(chunks))
    with warnings.catch_warnings(action="ignore"):  # Ray 2.64 has another argument
        results = items.map(
            _Worker,
            fn_constructor_args=(make, folder),
            compute=ray.data.ActorPoolStrategy(size=min(num_workers, len(chunks))),
            num_cpus=1,
            # or an X-ray that ends its worker would do so for ever
            ray_remote_args_fn=lambda: {
                "max_restarts": -1,
                "max_task_retries": _RETRIES,
            },
        )
    for row in results.iter_rows():
        yield row["results"]


def _far_stream(
    make: Callable[[], _Work], tasks: Sequence[Any], folder: Path
) -> Iterator[bytes]:
    """Do as `_stream` from outside of the cluster, where Ray Data does not run."""
    import ray  # noqa: PLC0415 - takes half a second

    steward = (
        ray.remote(_Steward).options(num_cpus=0).remote(make, _pack(tasks), folder)
    )
    ahead = deque(steward.next.remote() for _ in range(_AHEAD))
    while (packed := ray.get(ahead.popleft())) is not None:
        yield packed
        ahead.append(steward.next.remote())


class _Steward:
    """Runs Ray Data inside of the cluster."""

    def __init__(
        self, make: Callable[[], _Work], packed_tasks: bytes, folder: Path
    ) -> None:
        self._results = _stream(make, _unpack(packed_tasks), folder)

    def next(self) -> bytes | None:
        """Return the next chunk of results; None at the end."""
        return next(self._results, None)


class _Failure:
    """What stands for the result of a task that raised an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class _Worker:
    """One process of the cluster; Ray makes it, and once more after a kill.

    Errors are results here: what Ray makes of one is neither short nor picklable.
    """

    def __init__(self, make: Callable[[], _Work], folder: Path) -> None:
        try:
            _enter(folder)
            self._work = make()
        except Exception as error:
            self._work = _raiser(error)

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Do a chunk of tasks, up to the first error."""
        results: list[Any] = []
        for task in _unpack(row["tasks"]):
            try:
                results.append(self._work(task))
            except Exception as error:
                results.append(_Failure(error))
                break
        return {"results": _pack(results)}


def _enter(folder: Path) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        msg = (
            f"{folder} is not on the worker {platform.node()} ({error.strerror}). "
            "Start lungcli in a folder that all machines of the cluster share."
        )
        raise ConfigError(msg) from error


def _raiser(error: Exception) -> _Work:
    def work(task: Any) -> Any:
        raise error

    return work


def _pack(items: Sequence[Any]) -> bytes:
    return zlib.compress(pickle.dumps(items), level=1)  # paths are much alike


def _unpack(packed: bytes) -> Any:
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 - of our own workers
