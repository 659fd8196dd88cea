"""Spread work over processes, in order, and end them all whatever happens."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from typing import Final, TypeVar

from lungcli.errors import LungcliError
from lungcli.system.cores import num_cores
from lungcli.system.interrupts import deferred

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

_CHUNK: Final = 4  # jobs; fewer are not worth starting a process for


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
    num_processes = min(workers or num_cores(), -(-len(jobs) // _CHUNK))
    if num_processes <= 1:
        yield from map(function, jobs)
        return
    try:
        cancelled, pool = _open_pool(num_processes)
    except OSError:  # no shared memory, as in some containers: it goes without
        yield from map(function, jobs)
        return
    try:
        # A process whose start is cut off complains on stderr. Ctrl-C is blocked, too,
        # which the processes inherit: until they ignore it, they never see one.
        with deferred(), _blocked(signal.SIGINT):
            results = pool.map(partial(_work, function), jobs, chunksize=_CHUNK)
        # None stands for a job that was not done, which only a cancelled pool has
        yield from (result[0] for result in results if result)
    except BrokenProcessPool as error:
        msg = (
            "a worker process was ended from outside, perhaps for want of memory. "
            "Run the command again with fewer --workers."
        )
        raise LungcliError(msg) from error
    except BaseException:
        cancelled.set()  # not after the chunks that wait
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _open_pool(num_processes: int) -> tuple[Event, ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    cancelled = context.Event()
    pool = ProcessPoolExecutor(
        num_processes, mp_context=context, initializer=_begin, initargs=(cancelled,)
    )
    return cancelled, pool


@contextmanager
def _blocked(number: signal.Signals) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    if not (main and hasattr(signal, "pthread_sigmask")):  # a thread, or Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_cancelled: Event | None = None  # of this worker process


def _begin(cancelled: Event) -> None:
    global _cancelled  # noqa: PLW0603 - the only way from the initializer to the jobs
    _cancelled = cancelled
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _work(function: Callable[[_Job], _Result], job: _Job) -> tuple[_Result] | None:
    # A worker that exited instead could leave half a result in the pipe, for whose
    # other half the parent would wait for ever.
    if _cancelled is not None and _cancelled.is_set():
        return None
    return (function(job),)


def _exit_with_parent() -> None:
    """End this worker when the process that started it is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
