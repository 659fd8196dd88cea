"""The weights of a trained network on disk: `best.weights.h5`.

The network is rebuilt from this package's own code, so loading a model never runs
code that came with it.
"""

import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import ModelInfo, weights_file
from lungcli.nn.blocks import LOGITS
from lungcli.nn.networks import build_network
from lungcli.nn.weights_file import check_weights
from lungcli.system.files import whole_file

LOADING_ERRORS = (
    ConfigError,
    KeyError,
    OSError,
    RuntimeError,  # h5py, for some kinds of damage
    TypeError,
    ValueError,
)


def save_weights(network: keras.Model, path: Path) -> None:
    """Write the weights of a network, whole or not at all."""
    with whole_file(path, durable=True) as part:
        network.save_weights(part)


def load_network(folder: Path, info: ModelInfo, *, dtype: str) -> keras.Model:
    """Build the network and read its weights.

    Raises:
        ModelError: If the weights are missing, broken, or of another network.
    """
    path = weights_file(folder)
    try:
        network = build_network(info.network, dtype=dtype)
    except ConfigError as error:
        msg = f"cannot build the network of {folder}: {error}"
        raise ModelError(msg) from error
    load_weights(network, path)
    return network


def load_weights(network: keras.Model, path: Path) -> None:
    """Read the weights of a network of the same shape, in full or half precision.

    Convolutions do not depend on the size of the image, so that may differ.

    Raises:
        ModelError: If they are broken, or of another network.
    """
    try:
        read_weights(network, path)
    except LOADING_ERRORS as error:
        msg = (
            f"cannot use the weights {path} ({first_line(error)}). Train again, or "
            "restore it."
        )
        raise ModelError(msg) from error
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        msg = f"the weights {path} hold NaN or infinity. Train again, or restore it."
        raise ModelError(msg)


def adopt_weights(
    network: keras.Model, own: NetworkConfig, path: Path, *, of: NetworkConfig
) -> None:
    """Give a network what it can use of the weights of another.

    The other may have another first layer, since it saw the gray values otherwise, or
    another last one: these keep what they have, but for a first layer that saw them as
    they came. What is stretched is the nearest to that, and gets its kernel. Where both
    draw other structures, the last layer gets what they share.

    Args:
        network: Built as `own` says.
        own: How it is built.
        path: The other network's weights.
        of: How that is built.

    Raises:
        ModelError: If they are broken, or of another network.
    """
    of = replace(of, size=own.size)
    if of == own:
        load_weights(network, path)
        return
    other = build_network(of)
    load_weights(other, path)
    known = {layer.name: layer.get_weights() for layer in other.layers}
    for layer in network.layers:
        weights = known.get(layer.name, [])
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if [weight.shape for weight in weights] == shapes:
            layer.set_weights(weights)
    if own.structures != of.structures and own.head == of.head:
        _share_classes(network, own, other, of)
    if (own.normalization, of.normalization) == ("equalized", "none"):
        _widen(_first_convolution(network), _first_convolution(other))


def _share_classes(
    network: keras.Model, own: NetworkConfig, other: keras.Model, of: NetworkConfig
) -> None:
    """Take over what paints the background and the structures that both draw."""
    layer, known = network.get_layer(LOGITS), other.get_layer(LOGITS)
    names, others = ["", *own.structures], ["", *of.structures]
    shared = [name for name in names if name in others]
    mine = [names.index(name) for name in shared]
    theirs = [others.index(name) for name in shared]
    # a transposed convolution has its output channels last but one
    axis = -2 if isinstance(layer, keras.layers.Conv2DTranspose) else -1
    kernel, bias = (weight.copy() for weight in layer.get_weights())
    other_kernel, other_bias = known.get_weights()
    np.moveaxis(kernel, axis, 0)[mine] = np.moveaxis(other_kernel, axis, 0)[theirs]
    bias[mine] = other_bias[theirs]
    layer.set_weights([kernel, bias])


def _first_convolution(network: keras.Model) -> keras.layers.Conv2D:
    kind = keras.layers.Conv2D
    return next(layer for layer in network.layers if isinstance(layer, kind))


def _widen(layer: keras.layers.Conv2D, other: keras.layers.Conv2D) -> None:
    """Take over a kernel of one channel for the last of two."""
    kernel, *rest = other.get_weights()
    layer.set_weights([np.concatenate([0 * kernel, kernel], axis=2), *rest])


def read_weights(model: keras.Model, path: Path) -> None:
    """Read a file of weights that `check_weights` has nothing against.

    Raises:
        Exception: One of `LOADING_ERRORS`, if it is broken or of another model.
    """
    check_weights(model, path)
    with warnings.catch_warnings(action="ignore"):  # the error says it all
        model.load_weights(path)


def first_line(error: Exception) -> str:
    """Return what went wrong, short: Keras adds screenfuls of layers."""
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
