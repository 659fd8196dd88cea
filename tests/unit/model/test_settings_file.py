"""Settings from a TOML file."""

import pytest

from lungcli.errors import ConfigError
from lungcli.model.settings_file import read_settings


def test_toml(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('epochs = 7\nbatch-size = 4\narch = "unet"\n')
    assert read_settings(path) == {"epochs": 7, "batch_size": 4, "arch": "unet"}


def test_broken_toml_is_named(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("epochs: 7")
    with pytest.raises(ConfigError, match=r"my\.toml is no TOML file"):
        read_settings(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml"):
        read_settings(tmp_path / "none.toml")
