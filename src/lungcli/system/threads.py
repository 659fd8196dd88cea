"""Work spread over threads, in order, with little of it in memory at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_AHEAD: Final = 4  # items under way for each thread; more would only fill memory

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    num_threads: int,
    *,
    ahead: int = _AHEAD,
) -> Generator[_Result, None, None]:
    """Yield the function's result for every item, in the order of the items.

    Args:
        function: Called in the threads.
        items: Drawn in the calling thread, only as they are needed.
        num_threads: At least 1.
        ahead: Items drawn but not yielded yet, at most, for each thread.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        running: deque[Future[_Result]] = deque()
        try:
            for item in items:
                if len(running) >= num_threads * ahead:
                    yield running.popleft().result()
                running.append(pool.submit(function, item))
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
