"""Settings: checked, saved, read again."""

import pytest

from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig


def test_round_trip():
    config = TrainConfig(epochs=3, arch="unet", tensorboard=True)
    assert TrainConfig.from_dict(config.to_dict(), where="test") == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": True}, "epochs must be a whole number, got True"),
        ({"epochs": 1.5}, "epochs must be a whole number, got 1.5"),
        ({"batch_size": -1}, "batch_size must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be at least 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be at least 0"),
        ({"tensorboard": 1}, "tensorboard must be a true or false"),
        ({"arch": "resnet"}, "arch must be one of stem-unet, unet, got 'resnet'"),
        ({"keep": "first"}, "keep must be one of best, last, got 'first'"),
        (
            {"structures": "lungs,spleen"},
            "there is no 'spleen'. Choose from lungs, hea",
        ),
        ({"structures": ["lungs"]}, "structures must be text such as lungs,heart"),
        ({"colour": 1}, "unknown setting 'colour'. Known: arch, "),
    ],
)
def test_impossible_values_are_named_with_their_origin(settings, message):
    with pytest.raises(ConfigError, match=rf"^my\.toml: .*{message}"):
        TrainConfig.from_dict(settings, where="my.toml")


@pytest.mark.parametrize(
    "text", ["lungs,heart", "heart", " heart , lungs", "heart,left"]
)
def test_the_lungs_are_always_drawn(text):
    network = TrainConfig(structures=text).network
    assert network.structures == ("right", "left", "heart")
    assert network.labels == (1, 2, 3)
    assert network.settings()["structures"] == "lungs,heart"
