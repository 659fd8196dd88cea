"""The networks by the names that `--arch` takes."""

from collections.abc import Callable
from typing import Any

import keras

from lungcli.config import NetworkConfig
from lungcli.errors import ConfigError
from lungcli.nn.stem_unet import build_stem_unet
from lungcli.nn.unet import build_unet

BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "stem-unet": build_stem_unet,
    "unet": build_unet,
}


def build_network(config: NetworkConfig, *, dtype: str = "float32") -> keras.Model:
    """Build the network that a configuration names.

    Raises:
        ConfigError: If the input size does not suit the depth.
    """
    settings: dict[str, Any] = {"filters": config.filters, "depth": config.depth}
    try:
        return BUILDERS[config.arch](config.size, dtype=dtype, **settings)
    except ValueError as error:
        msg = f"--arch {config.arch} cannot be built: {error}"
        raise ConfigError(msg) from error
