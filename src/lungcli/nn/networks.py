"""The networks by the names that `--arch` takes."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import chain, pairwise
from typing import Final

import keras

from lungcli.errors import ConfigError
from lungcli.model.config import NetworkConfig
from lungcli.nn.blocks import check_input_size
from lungcli.nn.stem_unet import MAX_FILTERS, STEM, build_stem_unet
from lungcli.nn.unet import build_unet

BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "stem-unet": build_stem_unet,
    "unet": build_unet,
}

_MOST_WEIGHTS: Final = 2**28  # 1 GiB in float32
_MOST_VALUES: Final = 2**28  # of a layer


def build_network(config: NetworkConfig, *, dtype: str = "float32") -> keras.Model:
    """Build the network that a configuration names.

    Raises:
        ConfigError: As `check_network`.
    """
    check_network(config)
    settings = asdict(config)
    settings["num_structures"] = len(settings.pop("structures"))
    build = BUILDERS[settings.pop("arch")]
    if build is build_unet:
        del settings["head"]  # it paints at full resolution
    return build(settings.pop("size"), dtype=dtype, **settings)


def check_network(config: NetworkConfig) -> None:
    """Refuse, before anything is built, what cannot be.

    Raises:
        ConfigError: If the input size does not suit the depth, or the network would
            not fit in the memory of any computer it is meant for.
    """
    first = STEM if config.arch == "stem-unet" else 1
    try:
        check_input_size(config.size, first * 2**config.depth)
    except ValueError as error:
        msg = f"--arch {config.arch} cannot be built: {error}"
        raise ConfigError(msg) from error
    values = (config.size // first) ** 2 * config.filters
    if values > _MOST_VALUES or num_kernel_weights(config) > _MOST_WEIGHTS:
        msg = (
            f"--arch {config.arch} of size {config.size}, {config.filters} filters and "
            f"depth {config.depth} takes more than 1 GiB for its weights, or for one "
            "layer of one image. Take a smaller number of one of them."
        )
        raise ConfigError(msg)


def num_kernel_weights(config: NetworkConfig) -> int:
    """Return how many weights the 3x3 convolutions of a network have.

    They are nearly all there are.
    """
    widths = [config.filters * 2**level for level in range(config.depth + 1)]
    if config.arch == "stem-unet":
        widths = [min(width, max(config.filters, MAX_FILTERS)) for width in widths]
    channels = 2 if config.normalization == "equalized" else 1
    first = widths[0] if config.arch == "stem-unet" else channels
    down = zip([first, *widths[:-1]], widths, strict=True)
    up = ((low + below, low) for low, below in pairwise(widths))
    return sum(9 * (before * width + width**2) for before, width in chain(down, up))
