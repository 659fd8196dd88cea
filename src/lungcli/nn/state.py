"""What a training needs to go on after it was stopped."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import keras

from lungcli.errors import ModelError
from lungcli.files import whole_file, write_json
from lungcli.nn.callbacks import BestWeights

_STATE_JSON = "state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """Where a training stands.

    Attributes:
        epoch: Epochs done.
        best: Highest validation Dice so far.
        weights: File with the weights of network and optimizer after that epoch.
    """

    epoch: int
    best: float
    weights: Path


class StateKeeper(keras.callbacks.Callback):
    """Save the whole training after each epoch.

    `state.json` names the weights that belong to it and is written last, so a kill
    between the two files leaves the epoch before.

    Args:
        folder: Folder of its own.
        best_weights: The callback that knows the highest Dice.
    """

    def __init__(self, folder: Path, best_weights: BestWeights) -> None:
        super().__init__()
        self.folder = folder
        self.best_weights = best_weights

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Save, then remove the epoch before."""
        del logs
        path = self.folder / f"epoch-{epoch + 1:04d}.weights.h5"
        with whole_file(path) as part:
            self.model.save_weights(part)
        best = self.best_weights.best
        document = {
            "epoch": epoch + 1,
            "best": best if math.isfinite(best) else None,
            "weights": path.name,
        }
        write_json(self.folder / _STATE_JSON, document)
        for old in self.folder.glob("epoch-*.weights.h5"):
            if old != path:
                old.unlink()


def load_state(folder: Path) -> TrainingState | None:
    """Return where a stopped training stands; None if no epoch was completed.

    Raises:
        ModelError: If the state is there but broken.
    """
    path = folder / _STATE_JSON
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        state = TrainingState(
            epoch=int(document["epoch"]),
            best=-math.inf if document["best"] is None else float(document["best"]),
            weights=folder / str(document["weights"]),
        )
    except (KeyError, OSError, TypeError, ValueError) as error:
        msg = f"cannot resume: {path} is broken ({error}). Start a new run."
        raise ModelError(msg) from error
    if not state.weights.is_file():
        msg = f"cannot resume: {state.weights} is missing. Start a new run."
        raise ModelError(msg)
    return state
