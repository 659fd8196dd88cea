"""Libraries that warn of what lungcli says in its own words, or mends."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET = threading.Lock()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep the warnings of a library from the user while the block runs.

    One thread at a time: what is long and lets other threads run belongs outside.
    """
    # Filters are global to the process before Python 3.14: the lock keeps two
    # threads from restoring each other's. Decoding itself runs outside of it.
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
