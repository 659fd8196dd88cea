"""Every number of a training in one file: network, averages, optimizer.

Keras' own `save_weights` searches the model for its variables and makes a group of
HDF5 for each layer: a third of a second for the default network, each epoch, where the
arrays themselves are written in a tenth of that. A snapshot is read only by the run
that wrote it, so that their order is enough to know them by.
"""

from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import keras
import numpy as np
from keras import ops
from numpy.lib import format as npy

from lungcli.files import whole_file

_VERSION: Final = (1, 0)  # of the .npy format, as NumPy writes plain arrays


def save_snapshot(model: keras.Model, path: Path) -> None:
    """Write all variables of a model, whole or not at all.

    Args:
        model: Built; with its optimizer, if it has one.
        path: The `.npz` file.

    Raises:
        OutputError: If the file cannot be written.
    """
    arrays = {
        _name(number): np.asarray(ops.convert_to_numpy(variable))
        for number, variable in enumerate(_variables(model))
    }
    with whole_file(path, durable=True) as part:
        np.savez(part, allow_pickle=False, **arrays)


def load_snapshot(model: keras.Model, path: Path) -> None:
    """Give a model the variables that `save_snapshot` has written of one like it.

    Args:
        model: Built, its optimizer too; unchanged if the file does not fit.
        path: The `.npz` file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is broken, or of another model.
    """
    variables = _variables(model)
    try:
        with ZipFile(path) as archive:
            if len(archive.namelist()) != len(variables):
                msg = f"it has {len(archive.namelist())} arrays, not {len(variables)}"
                raise ValueError(msg)
            arrays = [
                _read(archive, number, variable)
                for number, variable in enumerate(variables)
            ]
    except (BadZipFile, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(str(error)) from error
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return all variables of a model, then those of its optimizer."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer else ())]


def _name(number: int) -> str:
    return f"{number:05d}"


def _read(archive: ZipFile, number: int, variable: Any) -> np.ndarray[Any, Any]:
    """Read an array whose header promises what the variable has, and no more."""
    member = archive.getinfo(f"{_name(number)}.npy")
    if member.compress_type != ZIP_STORED:
        msg = f"{member.filename} is packed"
        raise ValueError(msg)
    with archive.open(member) as stream:
        if npy.read_magic(stream) != _VERSION:
            msg = f"{member.filename} is of another version"
            raise ValueError(msg)
        shape, _, dtype = npy.read_array_header_1_0(stream)
    wanted = (tuple(variable.shape), np.dtype(variable.dtype))
    if (shape, dtype) != wanted:
        msg = f"{member.filename} is {dtype} {shape}, not {wanted[1]} {wanted[0]}"
        raise ValueError(msg)
    with archive.open(member) as stream:
        return np.asarray(npy.read_array(stream, allow_pickle=False))
