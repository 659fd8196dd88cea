"""The state of a training: whole or not there, and never believed unchecked."""

import json
import math

import keras
import numpy as np
import pytest

from lungcli.errors import ModelError
from lungcli.nn.callbacks import BestWeights, Counters
from lungcli.nn.schedule import Part
from lungcli.nn.snapshot import load_snapshot
from lungcli.nn.state import StateKeeper, load_state, restore_best

PARTS = (Part(0, 4), Part(4, 9))


def network(value=0.0):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.full((1, 1), value), np.zeros(1)])
    return model


class Run:
    """A training of one weight, whose value after epoch n is n."""

    def __init__(self, folder, patience=3):
        self.folder = folder
        self.model = network()
        self.model.averaged = self.model
        self.stopping = keras.callbacks.EarlyStopping(
            monitor="val_dice", mode="max", patience=patience
        )
        self.best = BestWeights(folder)
        self.counters = Counters([self.stopping], {})
        self.keeper = StateKeeper(folder / "state", self.best, self.counters, PARTS)
        self.callbacks = [self.stopping, self.best, self.counters, self.keeper]
        for callback in self.callbacks:
            callback.set_model(self.model)
            callback.on_train_begin()

    def epoch(self, number, dice):
        self.model.layers[0].set_weights([np.full((1, 1), number), np.zeros(1)])
        for callback in self.callbacks:
            callback.on_epoch_end(number - 1, {"val_dice": dice})


def value_in(path):
    model = network()
    read = load_snapshot if path.suffix == ".npz" else type(model).load_weights
    read(model, path)
    return float(model.layers[0].get_weights()[0][0, 0])


@pytest.fixture
def folder(tmp_path):
    """A run of four epochs; the second was the best."""
    run = Run(tmp_path)
    for number, dice in enumerate([0.5, 0.9, 0.7, math.nan], start=1):
        run.epoch(number, dice)
    return tmp_path


def test_everything_comes_back(folder):
    state = load_state(folder / "state")
    assert (state.epoch, state.best, state.parts) == (4, 0.9, PARTS)
    assert value_in(state.weights) == 4
    assert value_in(state.best_weights) == 2
    assert state.counts["EarlyStopping"]["wait"] == 2
    assert state.counts["EarlyStopping"]["best"] == pytest.approx(0.9)
    assert state.damaged == ()


def test_two_epochs_are_kept_and_the_best_weights_of_both(folder):
    names = sorted(path.name for path in (folder / "state").iterdir())
    assert names == [
        *("best-0002.weights.h5", "epoch-0003.json", "epoch-0003.npz"),
        *("epoch-0004.json", "epoch-0004.npz"),
    ]


def test_the_best_weights_of_the_epoch_before_stay(tmp_path):
    run = Run(tmp_path)
    for number in (1, 2, 3):
        run.epoch(number, number / 10)
    names = {path.name for path in (tmp_path / "state").glob("best-*")}
    assert names == {"best-0002.weights.h5", "best-0003.weights.h5"}


def test_ten_thousand_epochs_come_after_one_less(tmp_path):
    run = Run(tmp_path)
    for number in (9_999, 10_000, 10_001):
        run.epoch(number, 0.5)
    assert load_state(tmp_path / "state").epoch == 10_001


def test_no_epoch_is_no_state(tmp_path):
    assert load_state(tmp_path / "state") is None


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def damage_weights(folder):
    flip(folder / "state" / "epoch-0004.npz", -100)


def damage_json(folder):
    path = folder / "state" / "epoch-0004.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "best": 0.99}))


def cut_json(folder):
    path = folder / "state" / "epoch-0004.json"
    path.write_text(path.read_text()[:50])


def empty_json(folder):
    (folder / "state" / "epoch-0004.json").write_text("[]")


def lose_weights(folder):
    (folder / "state" / "epoch-0004.npz").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_weights, "checksum of epoch-0004.npz is wrong"),
        (damage_json, "its checksum is wrong"),
        (cut_json, "epoch-0004.json cannot be used"),
        (empty_json, "epoch-0004.json cannot be used"),
        (lose_weights, "epoch-0004.npz is missing"),
    ],
)
def test_of_a_damaged_state_the_one_before_is_taken(folder, damage, said):
    damage(folder)
    state = load_state(folder / "state")
    assert state.epoch == 3
    assert value_in(state.weights) == 3
    (told,) = state.damaged
    assert said in told


def test_if_all_are_damaged_it_says_which(folder):
    damage_weights(folder)
    flip(folder / "state" / "epoch-0003.npz", -100)
    with pytest.raises(ModelError, match=r"cannot resume: .*0004.*0003.*new run"):
        load_state(folder / "state")


def test_a_path_in_a_state_leads_nowhere_else(folder, tmp_path_factory):
    path = folder / "state" / "epoch-0004.json"
    document = json.loads(path.read_text())
    document["weights"]["file"] = "../../../etc/passwd"
    path.write_text(json.dumps(document))
    assert load_state(folder / "state").epoch == 3


def test_best_weights_of_a_lost_epoch_are_taken_back(folder):
    # killed after the best weights of epoch 5 were written, before its state
    run_of_5 = network(5.0)
    run_of_5.save_weights(folder / "best.weights.h5")
    restore_best(load_state(folder / "state"), folder)
    assert value_in(folder / "best.weights.h5") == 2


def test_counters_go_on(folder):
    state = load_state(folder / "state")
    stopping = keras.callbacks.EarlyStopping(monitor="val_dice", mode="max", patience=3)
    counters = Counters([stopping], state.counts)
    stopping.on_train_begin()
    counters.on_train_begin()
    assert (stopping.wait, stopping.best) == (2, pytest.approx(0.9))


def test_counts_without_any_dice_can_be_saved(tmp_path):
    """Early stopping takes the first Dice for the best, though it is undefined."""
    run = Run(tmp_path)
    run.epoch(1, math.nan)
    assert math.isnan(run.stopping.best)
    assert load_state(tmp_path / "state").counts == {"EarlyStopping": {"wait": 0}}
