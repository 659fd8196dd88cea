"""What the tests of security share: commands, and a network that loads at once."""

import pytest
from networks import network, save
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.model.config import NetworkConfig
from lungcli.model.info import ONNX, ModelInfo, save_info

SIDE = 64


@pytest.fixture
def invoke():
    """Run a command in this process and return what it printed."""

    def run(*arguments, status=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == status, result.output
        return result

    return run


@pytest.fixture(scope="session")
def make_model():
    """Write a trained network of one convolution into a folder."""

    def make(folder):
        folder.mkdir(parents=True)
        info = ModelInfo(network=NetworkConfig(size=SIDE), convention="unknown")
        save_info(folder, info)
        save(network(size=SIDE), folder / ONNX)
        return folder

    return make
