"""Training on several devices, of one computer or of several; on JAX only.

Every device holds all variables and takes its part of each batch. The batch is one
array that lies on all devices, and the step is the same program as on one: sums over
the batch, in loss, gradient and batch norm, go over all of it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from lungcli.errors import ConfigError, LungcliError
from lungcli.model.config import ALL_DEVICES
from lungcli.nn.precision import list_devices

_VARIABLES: Final = (
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)
# in what JAX says when it cannot reach another process
_GONE: Final = ("Gloo", "NCCL", "coordination service", "heartbeat", "UNAVAILABLE")


@dataclass(frozen=True, slots=True)
class JointProcess:
    """One of the processes that train together.

    Attributes:
        index: From 0; process 0 writes the run.
        count: How many there are.
    """

    index: int = 0
    count: int = 1


ALONE: Final = JointProcess()


def join_processes() -> JointProcess:
    """Join the other processes of this training, if the environment names them.

    Must come before anything is computed. A second call changes nothing.

    Returns:
        Which of them this one is.

    Raises:
        ConfigError: If the variables are not all set, or lead nowhere, or the backend
            is not JAX.
    """
    named = [name for name in _VARIABLES if os.environ.get(name)]
    if not named:
        return ALONE
    _require_jax("several processes")
    missing = sorted(set(_VARIABLES) - set(named))
    if missing:
        msg = (
            f"{named[0]} is set, but {' and '.join(missing)} not. Set all three to "
            "train on several machines, or none."
        )
        raise ConfigError(msg)
    jax = import_module("jax")
    if not jax.distributed.is_initialized():
        _initialize()
    return this_process()


def _initialize() -> None:
    # else Keras would have all processes agree on a seed: each training sets its own
    keras.utils.set_random_seed(0)
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = (
            f"cannot join the other processes ({reason}). Check that "
            f"{_VARIABLES[0]} is HOST:PORT of process 0, reachable from here, and that "
            "all of them were started."
        )
        raise ConfigError(msg) from error


def this_process() -> JointProcess:
    """Return which of the processes that train together this one is."""
    if keras.backend.backend() != "jax":
        return ALONE
    jax = import_module("jax")
    return JointProcess(jax.process_index(), jax.process_count())


def count_devices(wanted: int | str, *, batch_size: int) -> int:
    """Return on how many devices a training runs.

    Args:
        wanted: How many, or `all`.
        batch_size: Cases of a step, on all devices together.

    Raises:
        ConfigError: If there are not so many, the backend takes only one, or the batch
            cannot be divided among them.
    """
    there = len(list_devices())
    count = there if wanted == ALL_DEVICES else int(wanted)
    if count > 1:
        _require_jax(f"{count} devices")
    if count > there:
        msg = (
            f"{count} devices were asked for, and {keras.backend.backend()} finds "
            f"{there}. Use --devices {ALL_DEVICES}, or fewer."
        )
        raise ConfigError(msg)
    _check_all_devices(count, there)
    if batch_size % count:
        # not the next larger one: there may be no more training cases
        fitting = batch_size // count * count or count
        msg = (
            f"a batch of {batch_size} cannot be divided among {count} devices: it "
            f"is that of all together. Use --batch-size {fitting}, or fewer --devices."
        )
        raise ConfigError(msg)
    return count


def _check_all_devices(count: int, there: int) -> None:
    processes = this_process().count
    if processes > 1 and count < there:
        msg = (
            f"{processes} processes train together on all of their {there} devices, "
            f"not on {count}. Use --devices {ALL_DEVICES}."
        )
        raise ConfigError(msg)


def _require_jax(what: str) -> None:
    if keras.backend.backend() == "jax":
        return
    msg = (
        f"training on {what} needs JAX: on TensorFlow lungcli trains on one device of "
        "one machine. Run: pip install 'lungcli[jax]', and set KERAS_BACKEND=jax, or "
        "leave --devices at 1."
    )
    raise ConfigError(msg)


@contextmanager
def spread_over(devices: int) -> Iterator[None]:
    """Have variables that are made, and batches that are used, lie on all devices.

    Args:
        devices: The first so many of the backend; one needs nothing.
    """
    if devices == 1:
        yield
        return
    names = list(list_devices()[:devices])
    # each process draws its own part of a batch: `Batches` does what Keras would
    spread = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    with spread.scope():
        yield


def split_batch(batch: NDArray[Any]) -> Any:
    """Lay a batch on the devices in use, a part on each.

    With several processes it stays whole, for each to compute all of it: parts on
    another machine could not be read.
    """
    spread = keras.distribution.distribution()
    if spread is None or this_process().count > 1 or len(batch) % _num_devices(spread):
        return batch
    layout = spread.get_data_layout(batch.shape)
    return keras.distribution.distribute_tensor(batch, layout)


def _num_devices(spread: Any) -> int:
    return int(spread.device_mesh.devices.size)


def agree(logs: Mapping[str, float]) -> dict[str, float]:
    """Return the figures of process 0, the same in all processes.

    Unequal machines may compute a Dice that differs in the last digit. Two processes
    that decide by it would stop in different epochs, and wait for each other forever.

    Args:
        logs: Of the same names in all of them.
    """
    if this_process().count == 1:
        return dict(logs)
    utils = import_module("jax.experimental.multihost_utils")
    # bytes, since JAX would round float64
    sent = np.array(list(logs.values()), np.float64).view(np.uint8)
    values = np.asarray(utils.broadcast_one_to_all(sent)).view(np.float64)
    return dict(zip(logs, values.tolist(), strict=True))


def anywhere(flag: bool) -> bool:
    """Tell whether this is true in any of the processes."""
    if this_process().count == 1:
        return flag
    utils = import_module("jax.experimental.multihost_utils")
    return bool(np.any(utils.process_allgather(np.array([flag]))))


@contextmanager
def others_watched() -> Iterator[None]:
    """Say in plain words that another process has gone.

    Raises:
        ConfigError: With the remedy.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:  # JAX raises both
        if this_process().count == 1 or not any(sign in str(error) for sign in _GONE):
            raise
        reason = next(iter(str(error).splitlines()), "")[:200]
        msg = (
            f"another process of this training has gone ({reason}). See what it said, "
            "and start all of them again with --resume."
        )
        raise ConfigError(msg) from error


@contextmanager
def failing_together() -> Iterator[None]:
    """Run the block in all processes; if one of them refuses in it, all of them do.

    Nothing may be computed in the block: one that refuses would be waited for.

    Raises:
        ConfigError: Where another process has refused.
    """
    refused: LungcliError | None = None
    try:
        yield
    except LungcliError as error:
        refused = error
    elsewhere = anywhere(refused is not None)
    if refused is not None:
        raise refused
    if elsewhere:
        msg = "another process of this training could not begin. See what it said."
        raise ConfigError(msg)
