"""What is known of a trained network: `model.json`, and the names of its files.

Nothing here needs Keras: `lungcli predict` reads it in milliseconds.
"""

import hashlib
import reprlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lungcli._version import __version__
from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import BEFORE_SAID, NetworkConfig
from lungcli.system.documents import parse_fields, read_json
from lungcli.system.files import write_json

FORMAT_VERSION = 1
MODEL_JSON = "model.json"
WEIGHTS = "best.weights.h5"
ONNX = "model.onnx"
WEIGHTS_KEY = "weights_sha256"  # in the metadata of the ONNX file
PREPROCESSING = (
    "narrow gray ranges spread, aspect kept, padded with 0 to a square, resized, "
    "8 bit / 255; the normalization is in the network"
)

_MOST_BYTES = 2**31 - 1  # of a file with weights
_MOST_JSON = 32 * 2**20  # a million names of cases
_ABOUT = ("format", "lungcli", "preprocessing")  # the document itself


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
class InitialModel:
    """The network whose weights a training began with.

    Attributes:
        name: `bundled` or the like, or the name of its run folder.
        fingerprint: SHA-256 of its weights file.
        data: All that it had seen.
    """

    name: str
    fingerprint: str
    data: tuple[TrainedOn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Everything but the weights.

    Attributes:
        network: How the network is built.
        convention: Whether its masks include the heart.
        threshold: Probability of lung from which a pixel counts as lung.
        data: What it was trained on.
        initial: What it was fine-tuned from; None if from random weights.
        license: SPDX name of the licence of the weights; empty if none is stated.
    """

    network: NetworkConfig
    convention: str
    threshold: float = 0.5
    data: tuple[TrainedOn, ...] = ()
    initial: InitialModel | None = None
    license: str = ""

    def __post_init__(self) -> None:
        """Reject a threshold that finds everything or nothing."""
        if not 0 < self.threshold < 1:
            msg = f"threshold must lie between 0 and 1, got {self.threshold}."
            raise ConfigError(msg)

    @property
    def seen(self) -> tuple[TrainedOn, ...]:
        """What it was trained on, the trainings before a fine-tuning included."""
        return (*self.data, *(self.initial.data if self.initial else ()))

    @property
    def cases_trained_on(self) -> frozenset[str]:
        """`source/case_id` of every training case in `seen`."""
        return frozenset(name for entry in self.seen for name in entry.cases)

    @property
    def cases_chosen_by(self) -> frozenset[str]:
        """The same of the cases that chose a best epoch."""
        return frozenset(name for entry in self.seen for name in entry.validation)


def save_info(folder: Path, info: ModelInfo) -> None:
    """Write `model.json`."""
    document = {
        "format": FORMAT_VERSION,
        "lungcli": __version__,
        "preprocessing": PREPROCESSING,
        **asdict(info),
    }
    write_json(folder / MODEL_JSON, document, durable=True)


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
        return _parse_info(read_json(path, most_bytes=_MOST_JSON))
    except (ConfigError, OSError, ValueError) as error:
        msg = (
            f"cannot use {path} ({type(error).__name__}: {error}). Was it written by "
            f"another version? This is lungcli {__version__}, model format "
            f"{FORMAT_VERSION}."
        )
        raise ModelError(msg) from error


def weights_file(folder: Path) -> Path:
    """Return the file with the weights of a model.

    Raises:
        ModelError: If it is missing.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        msg = f"no weights in {folder} ({WEIGHTS} is missing). Run 'lungcli train'."
        raise ModelError(msg)
    return path


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a weights file.

    Raises:
        ModelError: If it is larger than any: reading it could take hours.
    """
    if path.stat().st_size > _MOST_BYTES:
        msg = f"{path} is larger than 2 GiB: no weights of lungcli. Restore it."
        raise ModelError(msg)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse_info(document: dict[str, Any]) -> ModelInfo:
    if document.get("format") != FORMAT_VERSION:
        msg = f"model format {reprlib.repr(document.get('format'))}"
        raise ValueError(msg)
    facts = {name: value for name, value in document.items() if name not in _ABOUT}
    network = facts.get("network")
    if isinstance(network, dict):
        facts["network"] = BEFORE_SAID | network
    return parse_fields(ModelInfo, facts)
