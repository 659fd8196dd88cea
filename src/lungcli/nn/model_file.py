"""A trained network on disk: `model.json` and `best.weights.h5`.

The network is rebuilt from this package's own code, so loading a model never runs
code that came with it.
"""

import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lungcli import __version__
from lungcli.config import NetworkConfig
from lungcli.errors import ConfigError, ModelError
from lungcli.files import whole_file, write_json
from lungcli.nn.networks import build_network

FORMAT_VERSION = 1
MODEL_JSON = "model.json"
WEIGHTS = "best.weights.h5"
LOADING_ERRORS = (
    ConfigError,
    KeyError,
    OSError,
    RuntimeError,  # h5py, for some kinds of damage
    TypeError,
    ValueError,
)
PREPROCESSING = "aspect kept, padded with 0 to a square, resized, 8 bit / 255"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """One prepared data set that a model has seen.

    Attributes:
        name: Names of its sources, joined by `+`.
        fingerprint: Its hash.
        cases: `source/case_id` of each training case.
        validation: The same of the cases that chose the best epoch.
    """

    name: str
    fingerprint: str
    cases: tuple[str, ...]
    validation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Everything but the weights.

    Attributes:
        network: How the network is built.
        convention: Whether its masks include the heart.
        threshold: Probability of lung from which a pixel counts as lung.
        data: What it was trained on.
    """

    network: NetworkConfig
    convention: str
    threshold: float = 0.5
    data: tuple[TrainedOn, ...] = ()

    def __post_init__(self) -> None:
        """Reject a threshold that finds everything or nothing."""
        if not 0 < self.threshold < 1:
            msg = f"threshold must lie between 0 and 1, got {self.threshold}."
            raise ConfigError(msg)


def save_info(folder: Path, info: ModelInfo) -> None:
    """Write `model.json`."""
    document = {
        "format": FORMAT_VERSION,
        "lungcli": __version__,
        "preprocessing": PREPROCESSING,
        **asdict(info),
    }
    write_json(folder / MODEL_JSON, document)


def save_weights(folder: Path, network: keras.Model) -> None:
    """Write `best.weights.h5`, whole or not at all."""
    with whole_file(folder / WEIGHTS) as part:
        network.save_weights(part)


def load_info(folder: Path) -> ModelInfo:
    """Read `model.json`.

    Raises:
        ModelError: If there is none, or it is not ours.
    """
    path = folder / MODEL_JSON
    if not path.is_file():
        msg = f"no model in {folder} ({MODEL_JSON} is missing). Run 'lungcli train'."
        raise ModelError(msg)
    try:
        return _parse_info(json.loads(path.read_text(encoding="utf-8")))
    except (ConfigError, KeyError, OSError, TypeError, ValueError) as error:
        msg = (
            f"cannot use {path} ({type(error).__name__}: {error}). Was it written by "
            f"another version? This is lungcli {__version__}, model format "
            f"{FORMAT_VERSION}."
        )
        raise ModelError(msg) from error


def load_network(folder: Path, info: ModelInfo, *, dtype: str) -> keras.Model:
    """Build the network and read its weights.

    Raises:
        ModelError: If the weights are missing, broken, or of another network.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        msg = f"no weights in {folder} ({WEIGHTS} is missing). Run 'lungcli train'."
        raise ModelError(msg)
    try:
        network = build_network(info.network, dtype=dtype)
        with warnings.catch_warnings(action="ignore"):  # the error says it all
            network.load_weights(path)
    except LOADING_ERRORS as error:
        msg = (
            f"cannot use the weights {path} ({first_line(error)}). Train again, or "
            "restore it."
        )
        raise ModelError(msg) from error
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        msg = f"the weights {path} hold NaN or infinity. Train again, or restore it."
        raise ModelError(msg)
    return network


def first_line(error: Exception) -> str:
    """Return what went wrong, short: Keras adds screenfuls of layers."""
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _parse_info(document: dict[str, Any]) -> ModelInfo:
    if document["format"] != FORMAT_VERSION:
        msg = f"model format {document['format']}"
        raise ValueError(msg)
    return ModelInfo(
        network=NetworkConfig(**document["network"]),
        convention=str(document["convention"]),
        threshold=float(document["threshold"]),
        data=tuple(
            TrainedOn(
                name=entry["name"],
                fingerprint=entry["fingerprint"],
                cases=tuple(entry["cases"]),
                validation=tuple(entry["validation"]),
            )
            for entry in document["data"]
        ),
    )
