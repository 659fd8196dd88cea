"""Trainings that begin with the weights of a trained network."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from lungcli.data.case import Convention
from lungcli.errors import ConfigError, ModelError
from lungcli.model.config import TrainConfig
from lungcli.model.info import (
    InitialModel,
    TrainedOn,
    fingerprint,
    load_info,
    save_info,
)
from lungcli.nn.callbacks import Reporter
from lungcli.nn.model_file import load_network
from lungcli.workflows.evaluating.evaluate import evaluate
from lungcli.workflows.shared.datasets import open_all, select
from lungcli.workflows.training import beginning
from lungcli.workflows.training.events import TrainEvents
from lungcli.workflows.training.fine_tuning import LEARNING_RATE, Initial, settings_from
from lungcli.workflows.training.train import resume, train

pytestmark = pytest.mark.usefixtures("unexported")

HARDLY = {"epochs": 1, "batch_size": 4, "learning_rate": 1e-9, "weight_decay": 0.0}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(run, **chosen):
    return settings_from(run, chosen, where="test")


def opened(run, **changes):
    """Return the run as an initial network of which something else is known."""
    initial = Initial.find(run)
    return replace(initial, info=replace(initial.info, **changes))


def kernels(folder):
    """Return what the optimizer moves; a step moves the moments of the images too."""
    network = load_network(folder, load_info(folder), dtype="float32")
    return [weight.numpy() for weight in network.trainable_weights]


def same_kernels(one, other):
    pairs = zip(kernels(one), kernels(other), strict=True)
    return all(np.allclose(a, b, atol=1e-5) for a, b in pairs)


def test_the_initial_network_decides_what_is_not_set(run):
    network = load_info(run).network
    config = settings(run, epochs=3)
    assert config.network == network
    assert (config.epochs, config.learning_rate) == (3, LEARNING_RATE)
    assert config.batch_size == TrainConfig().batch_size
    chosen = settings(run, size=96, learning_rate=0.1)
    assert (chosen.size, chosen.learning_rate) == (96, 0.1)


@pytest.mark.parametrize(
    ("name", "value"), [("filters", 4), ("depth", 3), ("arch", "unet")]
)
def test_another_shape_is_refused(here, prepared, run, name, value):
    message = rf"--{name} {value} does not fit the initial model fixture"
    with pytest.raises(ConfigError, match=message):
        settings(run, **{name: value})
    config = replace(settings(run), **{name: value})
    with pytest.raises(ConfigError, match=message):
        train([prepared], config, init=run, run=here / "r")
    assert not (here / "r").exists()


@pytest.mark.slow
def test_another_first_and_last_layer_is_learned_anew(here, prepared, run):
    """The rest of the weights is taken over, and a resume begins with the same."""
    changed = {"normalization": "none", "head": "cells"}
    config = settings(run, **HARDLY, **changed)
    train([prepared], config, init=run, run=here / "r")
    network = load_info(here / "r").network
    assert (network.normalization, network.head) == ("none", "cells")
    loaded = [load_network(f, load_info(f), dtype="float32") for f in (run, here / "r")]
    before, after = (
        {
            layer.name: layer.get_weights()[0]
            for layer in network.layers
            if layer.weights
        }
        for network in loaded
    )
    assert before.keys() == after.keys()
    unlike = {
        name
        for name, kernel in before.items()
        if kernel.shape != after[name].shape or not np.allclose(kernel, after[name])
    }
    assert {"stem", "logits"} <= unlike
    assert all("norm" in name for name in unlike - {"stem", "logits"})


@pytest.mark.slow
def test_weights_history_and_resume(here, prepared, run):
    plans = []
    events = TrainEvents(on_plan=plans.append)
    config = settings(run, size=96, **HARDLY)  # convolutions fit any size
    train([prepared], config, init=run, run=here / "r", events=events)
    assert same_kernels(here / "r", run)
    info = load_info(here / "r")
    assert info.network.size == 96
    assert info.initial.fingerprint == fingerprint(run / "best.weights.h5")
    assert plans[0].notes[:1] == ("fine-tuning fixture.",)
    result = resume(here / "r", epochs=2, runs=here / "runs")
    assert len(result.history) == 2
    assert load_info(here / "r") == info


@pytest.mark.slow
def test_resume_before_the_first_epoch_begins_with_the_weights(
    here, prepared, run, monkeypatch
):
    def interrupt(self, batch, logs=None):
        raise KeyboardInterrupt

    shutil.copytree(run, here / "first")
    monkeypatch.setattr(Reporter, "on_train_batch_end", interrupt)
    config = settings(here / "first", **HARDLY)
    stopped = train([prepared], config, init=here / "first", run=here / "r")
    assert stopped.interrupted
    assert not stopped.history
    monkeypatch.undo()
    shutil.rmtree(here / "first")  # the run has its own copy
    resume(here / "r", runs=here / "runs")
    assert same_kernels(here / "r", run)


def test_a_start_that_breaks_off_leaves_nothing_to_resume(
    here, prepared, run, monkeypatch
):
    """Else it would go on from random weights as if from those of the network."""

    def kill(network, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(beginning, "save_weights", kill)
    with pytest.raises(KeyboardInterrupt):
        train([prepared], settings(run, **HARDLY), init=run, run=here / "r")
    with pytest.raises(ModelError, match="no trained model in"):
        resume(here / "r", runs=here / "runs")


def test_a_resume_without_the_weights_it_began_with_is_refused(here, run):
    shutil.copytree(run, here / "r", ignore=shutil.ignore_patterns("state"))
    info = load_info(run)
    initial = InitialModel(name="first", fingerprint="0", data=())
    save_info(here / "r", replace(info, initial=initial))
    with pytest.raises(ModelError, match=r"initial\.weights\.h5 is missing. Restore"):
        resume(here / "r", runs=here / "runs")


def test_what_the_initial_network_had_seen_is_not_forgotten(run):
    first = TrainedOn(name="a", fingerprint="1", cases=("a/1",))
    second = TrainedOn(name="b", fingerprint="2", cases=("b/1",))
    third = TrainedOn(name="c", fingerprint="3", cases=("c/1",))
    oldest = InitialModel(name="bundled", fingerprint="0", data=(first,))
    initial = opened(run, data=(second,), initial=oldest, license="CC0-1.0")
    info = initial.record_in(replace(load_info(run), data=(third,)))
    assert info.data == (third,)
    assert info.initial == InitialModel(
        name="fixture",
        fingerprint=fingerprint(run / "best.weights.h5"),
        data=(second, first),
    )
    assert info.seen == (third, second, first)
    assert info.license == "CC0-1.0"  # derived from what is under it


def test_scores_on_cases_of_the_initial_network_are_doubted(here, prepared, run):
    info = load_info(run)
    known = replace(info.data[0], cases=info.data[0].validation, validation=())
    validation = select(open_all([prepared]), "val").cases
    notes = opened(run, data=(known,)).notes(Convention.HEART_EXCLUDED, validation)
    assert any("was trained on 2 of the 2 validation cases" in note for note in notes)

    shutil.copytree(run, here / "r")
    initial = InitialModel(name="first", fingerprint="0", data=(known,))
    save_info(here / "r", replace(info, initial=initial))
    scores = evaluate([prepared], here / "r", split="val")
    assert any("trained on 2 of these 2 cases" in note for note in scores.notes)
    assert scores.summary["notes"] == list(scores.notes)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("heart-included", "heart-excluded", True),
        ("heart-excluded", "heart-excluded", False),
        ("unknown", "heart-excluded", False),
        ("heart-included", "unknown", False),
    ],
)
def test_another_convention_is_said_aloud(run, before, now, said):
    notes = opened(run, convention=before).notes(Convention(now), [])
    assert any(f"it is now taught {now}" in note for note in notes) == said


def test_the_licence_is_said_aloud(run):
    notes = opened(run, license="CC0-1.0").notes(Convention.HEART_EXCLUDED, [])
    assert notes[-1] == (
        "the weights of fixture are under CC0-1.0, and so is what is made from them."
    )


def test_a_missing_initial_network(here, prepared):
    with pytest.raises(ModelError, match="no trained model in runs/gone"):
        settings("runs/gone")
    with pytest.raises(ModelError, match="no trained model in runs/gone"):
        train([prepared], TrainConfig(), init="runs/gone", run=here / "r")
    assert not (here / "r").exists()
