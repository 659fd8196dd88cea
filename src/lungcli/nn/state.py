"""What a training needs to go on after it was stopped, killed, or lost its power.

state/
  epoch-0007.json           where the training stands, with checksums of the files below
  epoch-0007.npz            network, averages and optimizer after that epoch
  epoch-0006.*              the epoch before, should the newest be damaged
  best-0004.weights.h5      the weights to keep, as they were then

The JSON file is written last and by itself says whether the others are whole.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import keras

from lungcli.errors import ModelError
from lungcli.model.info import WEIGHTS
from lungcli.nn.callbacks import BestWeights, Counters
from lungcli.nn.schedule import Part
from lungcli.nn.snapshot import save_snapshot
from lungcli.system.documents import parse_fields, read_json
from lungcli.system.files import copy_file, remove_file, write_json

_GENERATIONS: Final = 2  # epochs kept: the newest may be damaged
_CHECKSUM: Final = "checksum"

Counts = Mapping[str, Mapping[str, float | None]]
"""Callback to what it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """Where a training stands.

    Attributes:
        epoch: Epochs done.
        best: Highest validation Dice so far.
        weights: Snapshot of the network, its averages and the optimizer after it.
        best_weights: File with the weights to keep after that epoch.
        parts: Epochs that were planned together.
        counts: What the callbacks count.
        damaged: What was wrong with newer states, a sentence each; empty if this is
            the newest.
    """

    epoch: int
    best: float
    weights: Path
    best_weights: Path
    parts: tuple[Part, ...]
    counts: Counts = field(default_factory=dict)
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredFile:
    """A file of a state, as its document describes it."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredState:
    """The document of a state."""

    epoch: int
    best: float | None
    weights: _StoredFile
    best_weights: _StoredFile
    parts: tuple[tuple[int, ...], ...]
    counts: dict[str, dict[str, float | None]]

    def __post_init__(self) -> None:
        """Reject what was never saved."""
        if self.epoch < 1:
            msg = f"epoch must be at least 1, got {self.epoch}"
            raise ValueError(msg)


class StateKeeper(keras.callbacks.Callback):
    """Save the whole training after each epoch, and keep the epoch before.

    Args:
        folder: Folder of its own.
        best_weights: The callback that knows the highest Dice and its weights.
        counters: The callback that knows what the others count.
        parts: Epochs that were planned together.
    """

    def __init__(
        self,
        folder: Path,
        best_weights: BestWeights,
        counters: Counters,
        parts: tuple[Part, ...],
    ) -> None:
        super().__init__()
        self.folder = folder
        self.best_weights = best_weights
        self.counters = counters
        self.parts = parts

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Save, then remove what is older than the epoch before."""
        del logs
        path = self.folder / f"epoch-{epoch + 1:04d}.npz"
        save_snapshot(self.model, path)
        best = self.best_weights.best
        document: dict[str, Any] = {
            "epoch": epoch + 1,
            "best": best if math.isfinite(best) else None,
            "weights": _describe(path),
            "best_weights": _describe(self.best_weights.kept),
            "parts": [list(part) for part in self.parts],
            "counts": self.counters.values(),
        }
        document[_CHECKSUM] = _checksum(document)
        write_json(self.folder / f"epoch-{epoch + 1:04d}.json", document, durable=True)
        self._remove_older()

    def _remove_older(self) -> None:
        """Keep the newest generations, and the best weights that they name."""
        states = _newest_first(self.folder)
        kept = {path.stem for path in states[:_GENERATIONS]}
        for path in states[_GENERATIONS:]:
            remove_file(path)  # first: without it, its weights are just files
        named = {_best_name(path) for path in states[:_GENERATIONS]}
        for path in (*self.folder.glob("*.npz"), *self.folder.glob("*.weights.h5")):
            if path.stem not in kept and path.name not in named:
                remove_file(path)


def load_state(folder: Path) -> TrainingState | None:
    """Return where a stopped training stands; None if no epoch was completed.

    Raises:
        ModelError: If there are states, but all of them are damaged.
    """
    damaged: list[str] = []
    for path in _newest_first(folder):
        try:
            return _read(path, tuple(damaged))
        except (KeyError, OSError, TypeError, ValueError) as error:
            damaged.append(f"{path} cannot be used ({error})")
    if damaged:
        msg = f"cannot resume: {'; '.join(damaged)}. Start a new run."
        raise ModelError(msg)
    return None


def restore_best(state: TrainingState, folder: Path) -> None:
    """Make `best.weights.h5` what it was when the state was saved.

    A training that was killed may have replaced it after its last state.
    """
    copy_file(state.best_weights, folder / WEIGHTS)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.json"), key=_epoch_of, reverse=True)


def _epoch_of(path: Path) -> int:
    number = path.stem.removeprefix("epoch-")
    return int(number) if number.isdecimal() else 0


def _read(path: Path, damaged: tuple[str, ...]) -> TrainingState:
    document = read_json(path)
    if document.pop(_CHECKSUM, None) != _checksum(document):
        msg = "its checksum is wrong"
        raise ValueError(msg)
    stored = parse_fields(_StoredState, document)
    return TrainingState(
        epoch=stored.epoch,
        best=-math.inf if stored.best is None else stored.best,
        weights=_check_file(path.parent, stored.weights),
        best_weights=_check_file(path.parent, stored.best_weights),
        parts=tuple(Part(*part) for part in stored.parts),
        counts=stored.counts,
        damaged=damaged,
    )


def _describe(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": _sha256(path)}


def _check_file(folder: Path, described: _StoredFile) -> Path:
    path = folder / Path(described.file).name
    if not path.is_file():
        msg = f"{path.name} is missing"
        raise ValueError(msg)
    if _sha256(path) != described.sha256:
        msg = f"the checksum of {path.name} is wrong"
        raise ValueError(msg)
    return path


def _best_name(path: Path) -> str:
    """Return the name of the best weights of a state; empty if it is damaged."""
    try:
        return str(read_json(path)["best_weights"]["file"])
    except (KeyError, OSError, TypeError, ValueError):
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
