"""The connection to Ray, or a Ray of one's own: quiet, private, and gone at the end."""

import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lungcli.errors import ConfigError
from lungcli.system.cores import num_cores
from lungcli.system.interrupts import deferred

LOCAL: Final = "local"
AUTO: Final = "auto"
CLIENT: Final = "ray://"
_CLIENT_PORT: Final = 10001  # Ray's default
_PATIENCE: Final = 10  # seconds until a cluster answers
_LONGEST: Final = 22  # bytes of TMPDIR; 83 follow, and a socket's path may have 107
_STORE: Final = 256 * 2**20  # bytes for tasks and results on their way: both are small
_INNER: Final = "r"  # in a folder that only this user enters
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


def check_address(address: str) -> str:
    """Return the address of a cluster as it was given.

    Raises:
        ConfigError: If it is none.
    """
    host, colon, port = address.removeprefix(CLIENT).rpartition(":")
    named = address.startswith(CLIENT) and address != CLIENT
    numbered = bool(host and colon and port.isdecimal())
    if address not in {LOCAL, AUTO} and not named and not numbered:
        msg = f"--cluster {address!r}: take local, auto or ray://HOST:PORT."
        raise ConfigError(msg)
    return address


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to Ray, unless this process is, and end what was begun.

    Ray keeps its settings, as that it sends no statistics, while the process lives.

    Args:
        address: As `map_on_cluster` takes it.

    Raises:
        ConfigError: If Ray is not installed, or there is no such cluster.
    """
    fresh = address == LOCAL and "ray" not in sys.modules  # it reads them once
    for name, value in {**_QUIET, **(_own_token() if fresh else {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415 - takes half a second
        import ray.data  # noqa: PLC0415 - a part that may be missing
    except ImportError as error:
        msg = f"--cluster needs Ray ({error}): pip install 'lungcli[ray]'"
        raise ConfigError(msg) from error
    if ray.is_initialized():
        yield
        return
    folder = _short_folder() if address == LOCAL else None
    try:
        with deferred(), _own_sigterm(), _no_stderr():
            _init(ray, address, folder)
        yield
    finally:
        with deferred():
            ray.shutdown()
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


def _own_token() -> dict[str, str]:
    """Return what keeps other users of this machine from sending the workers code.

    Without it, Ray leaves a token in the home folder.
    """
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Take SIGTERM back, which Ray takes for itself; only the main thread could."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        main = threading.current_thread() is threading.main_thread()
        if main and before is not None:  # None: it is not Python's
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Keep what is not Python from writing on stderr."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _init(ray: Any, address: str, folder: str | None) -> None:
    # Ray prints that a worker died on stdout, where `--json` goes; nothing public helps
    ray._private.worker._worker_logs_enabled = False
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if folder is not None:
        ray.init(
            address="local",
            num_cpus=num_cores(),
            include_dashboard=False,
            object_store_memory=_STORE,
            _node_ip_address="127.0.0.1",
            _temp_dir=f"{folder}/{_INNER}",  # which Ray opens to everybody
            **quiet,
        )
        return
    try:
        _knock(address)
        ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        msg = (
            f"--cluster {address}: cannot connect ({first}). Check the address, and "
            "that the cluster runs the same Ray and Python; or take --cluster local."
        )
        raise ConfigError(msg) from error


def _knock(address: str) -> None:
    """Try the address, where Ray would wait for minutes.

    Raises:
        OSError: If nobody answers.
    """
    if address != AUTO:
        host, _, port = address.removeprefix(CLIENT).partition(":")
        number = int(port or _CLIENT_PORT)
        socket.create_connection((host, number), timeout=_PATIENCE).close()


def _short_folder() -> str:
    """Return a new folder whose path leaves room for the names of Ray's sockets."""
    usual = tempfile.gettempdir()
    folder = usual if len(os.fsencode(usual)) <= _LONGEST else "/tmp"  # noqa: S108 - mkdtemp is safe there
    return tempfile.mkdtemp(prefix="lungcli-", dir=folder)
