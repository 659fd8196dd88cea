"""Spread work over processes, in order, and end them all whatever happens."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Final, TypeVar

from lungcli.errors import LungcliError

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
    num_processes = min(workers or _num_cores(), -(-len(jobs) // _CHUNK))
    if num_processes <= 1:
        yield from map(function, jobs)
        return
    # This process alone holds `alive`. Once it is closed, be it by the system when
    # this process is killed, every worker sees the end of `stop` and exits.
    stop, alive = multiprocessing.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        num_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(stop,),
    )
    try:
        with _signals_held():
            results = pool.map(function, jobs, chunksize=_CHUNK)
        yield from results
    except BrokenProcessPool as error:
        msg = (
            "a worker process was ended from outside, perhaps for want of memory. "
            "Run the command again with fewer --workers."
        )
        raise LungcliError(msg) from error
    except BaseException:
        alive.close()  # not after the chunks that wait
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        alive.close()
        stop.close()


def _num_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while processes start, and deliver them after.

    A process whose start is cut off complains on stderr. Ctrl-C is blocked as well,
    which the processes inherit: until they ignore it, they never see one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _: came.append(which))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with _blocked(signal.SIGINT):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for which in came[:1]:
            signal.raise_signal(which)


@contextmanager
def _blocked(number: signal.Signals) -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(stop: Connection) -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_at_end_of, args=(stop,), daemon=True).start()


def _exit_at_end_of(stop: Connection) -> None:
    wait([stop])
    os._exit(1)
