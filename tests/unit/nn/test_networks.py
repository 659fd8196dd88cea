"""Both networks: shapes, ranges, precision, settings."""

import keras
import numpy as np
import pytest

from lungcli.errors import ConfigError
from lungcli.model.config import NetworkConfig
from lungcli.nn.networks import (
    BUILDERS,
    build_network,
    check_network,
    num_kernel_weights,
)


@pytest.mark.parametrize("arch", list(BUILDERS))
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_two_probabilities_in_float32(arch, dtype):
    config = NetworkConfig(arch=arch, size=64, filters=4, depth=3)
    network = build_network(config, dtype=dtype)
    images = np.random.default_rng(0).random((2, 64, 64, 1), np.float32)
    probabilities = network.predict_on_batch(images)
    assert probabilities.shape == (2, 64, 64, 2)
    assert probabilities.dtype == np.float32
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=-1).max() <= 1 + 1e-5


def test_depth_and_filters_shape_the_classic():
    small, wide, deep = (
        build_network(NetworkConfig(arch="unet", size=64, filters=f, depth=d))
        for f, d in ((4, 2), (8, 2), (4, 3))
    )
    assert wide.count_params() > 3 * small.count_params()
    assert deep.count_params() > 3 * small.count_params()
    kinds = {type(layer).__name__ for layer in small.layers}
    assert {"Conv2D", "MaxPooling2D", "UpSampling2D", "Concatenate"} <= kinds


@pytest.mark.parametrize(
    ("arch", "size", "multiple"), [("unet", 100, 16), ("stem-unet", 96, 64)]
)
def test_wrong_size_says_which_would_do(arch, size, multiple):
    with pytest.raises(ConfigError, match=f"size {size}: .* multiple of {multiple}"):
        build_network(NetworkConfig(arch=arch, size=size))


def test_names_of_layers_are_unique():
    for arch in BUILDERS:
        network = build_network(NetworkConfig(arch=arch, size=64, filters=4))
        names = [layer.name for layer in network.layers]
        assert len(names) == len(set(names))
        assert isinstance(network, keras.Model)


@pytest.mark.parametrize("arch", list(BUILDERS))
@pytest.mark.parametrize(("filters", "depth"), [(4, 2), (8, 3), (160, 1)])
def test_weights_are_counted_without_building(arch, filters, depth):
    config = NetworkConfig(arch=arch, size=32, filters=filters, depth=depth)
    kernels = [
        layer.kernel
        for layer in build_network(config).layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (3, 3)
    ]
    assert num_kernel_weights(config) == sum(np.prod(k.shape) for k in kernels)


@pytest.mark.parametrize(
    "settings",
    [
        {"arch": "unet", "filters": 1024, "depth": 8, "size": 256},
        {"arch": "stem-unet", "filters": 1024, "depth": 1, "size": 4096},
        {"arch": "unet", "filters": 32, "depth": 1, "size": 4096},
    ],
)
def test_what_no_memory_holds_is_refused_before_it_is_built(settings):
    with pytest.raises(ConfigError, match="more than 1 GiB for its weights, or"):
        check_network(NetworkConfig(**settings))


def test_what_people_train_is_not_refused():
    for size, filters, depth in ((1024, 64, 4), (2048, 32, 5), (512, 64, 5)):
        for arch in BUILDERS:
            config = NetworkConfig(arch=arch, size=size, filters=filters, depth=depth)
            check_network(config)
