"""The networks by the names that `--arch` takes."""

from collections.abc import Callable

import keras

from lungcli.config import NetworkConfig
from lungcli.errors import ConfigError
from lungcli.nn.blocks import check_input_size
from lungcli.nn.stem_unet import STEM, build_stem_unet
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
    check_network(config)
    build = BUILDERS[config.arch]
    return build(config.size, filters=config.filters, depth=config.depth, dtype=dtype)


def check_network(config: NetworkConfig) -> None:
    """Refuse, before anything is built, what cannot be.

    Raises:
        ConfigError: If the input size does not suit the depth.
    """
    first = STEM if config.arch == "stem-unet" else 1
    try:
        check_input_size(config.size, first * 2**config.depth)
    except ValueError as error:
        msg = f"--arch {config.arch} cannot be built: {error}"
        raise ConfigError(msg) from error
