"""Look into a file of weights before anything is read from it.

HDF5 can do more than hold arrays: links lead to other files, a virtual or external
data set reads them, a few packed bytes swell to gigabytes. Keras writes plain arrays
only, so everything else is refused.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import keras

_ROOM: Final = 16  # bytes a weight: twice what the widest numbers take
_DEEPEST: Final = 12  # levels of groups
_MOST_OBJECTS: Final = 100_000
_NUMBERS: Final = "fiu"
_BFLOAT16: Final = "V2"  # as NumPy calls what it does not know


def check_weights(network: keras.Model, path: Path) -> None:
    """Refuse a file that is not made of plain arrays of the network's shapes.

    Nothing but names and shapes is read.

    Args:
        network: Built.
        path: The HDF5 file.

    Raises:
        OSError: If it is no HDF5 file.
        ValueError: If there is anything else in it.

    References:
        The HDF Group, HDF5 File Format Specification 3.0,
        https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
    """
    known = network.variables
    shapes = {tuple(variable.shape) for variable in known}
    room = _ROOM * sum(math.prod(variable.shape) for variable in known)
    with h5py.File(path, "r") as file:
        for name, array in _arrays(file):
            _check_array(name, array)
            if array.shape not in shapes:
                msg = f"{name} has shape {array.shape}, which the network lacks"
                raise ValueError(msg)
            room -= array.nbytes
            if room < 0:
                msg = "there is more in it than the network has weights"
                raise ValueError(msg)


def _arrays(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield the data sets of a file with their names; links elsewhere are refused."""
    seen = {_address(file)}
    waiting = [(file, "", 0)]
    while waiting:
        group, where, depth = waiting.pop()
        for key in group:
            name = f"{where}/{key}"
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                msg = f"{name[:80]!r} is a link to something else"
                raise ValueError(msg)
            found = group[key]
            _check_new(found, name, depth, seen)
            if isinstance(found, h5py.Group):
                waiting.append((found, name, depth + 1))
            else:
                yield f"{name[:80]!r}", found


def _check_new(found: Any, name: str, depth: int, seen: set[int]) -> None:
    address = _address(found)
    if address in seen or depth > _DEEPEST or len(seen) > _MOST_OBJECTS:
        msg = f"{name[:80]!r} leads in a circle, or there are too many names"
        raise ValueError(msg)
    seen.add(address)


def _address(item: Any) -> int:
    return int(h5py.h5o.get_info(item.id).addr)


def _check_array(name: str, found: Any) -> None:
    """Refuse all but numbers that lie in the file as they are."""
    if not isinstance(found, h5py.Dataset):
        msg = f"{name} is no array"
        raise ValueError(msg)
    layout = found.id.get_create_plist()
    if layout.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
        msg = f"{name} is packed or put together from elsewhere"
        raise ValueError(msg)
    if layout.get_external_count():
        msg = f"{name} lies in another file"
        raise ValueError(msg)
    kind = found.dtype
    if kind.kind not in _NUMBERS and kind.str[1:] != _BFLOAT16:
        msg = f"{name} holds {kind}, not numbers"
        raise ValueError(msg)
