"""Spread work over processes, in order, and end them all whatever happens."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Final, TypeVar

from lungcli.errors import LungcliError

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

_JOBS_PER_PROCESS: Final = 16  # starting one costs as much as a few X-rays
_CHUNK: Final = 4


def map_in_processes(
    function: Callable[[_Job], _Result], jobs: Sequence[_Job], workers: int = 0
) -> Iterator[_Result]:
    """Yield the function's result for every job, in the order of the jobs.

    Args:
        function: Of a module that is quick to import; each process does.
        jobs: Pickled to the processes.
        workers: Processes at most; 0 takes all cores, 1 stays in this process. Few
            jobs take fewer.

    Raises:
        LungcliError: If a process was killed.
    """
    wanted = workers or _num_cores()
    num_processes = min(wanted, -(-len(jobs) // _JOBS_PER_PROCESS))
    if num_processes <= 1:
        yield from map(function, jobs)
        return
    pool = ProcessPoolExecutor(
        num_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )
    try:
        yield from pool.map(function, jobs, chunksize=_CHUNK)
    except BrokenProcessPool as error:
        msg = (
            "a worker process was ended from outside, perhaps for want of memory. "
            "Run the command again with fewer --workers."
        )
        raise LungcliError(msg) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _num_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose parent was killed would wait for its next job for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
