"""Losses, batches, segmenter and callbacks."""

import dataclasses
import math
import time

import keras
import numpy as np
import pytest
from keras import ops

from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig
from lungcli.nn.batches import Batches
from lungcli.nn.callbacks import AverageWeights, BestWeights, FiniteLoss
from lungcli.nn.losses import (
    cross_entropy,
    logits_of,
    segmentation_loss,
    soft_dice,
)
from lungcli.nn.predictor import predict_in_batches
from lungcli.nn.schedule import plan_parts
from lungcli.nn.state import load_state
from lungcli.nn.throughput import ThroughputMeter
from lungcli.nn.trainer import Pairs, Trainer, build_optimizer
from lungcli.workflows.training.events import TrainEvents

TINY = TrainConfig(size=32, filters=4, depth=1, epochs=3, batch_size=2, arch="unet")
AVERAGED = dataclasses.replace(TINY, learning_rate=0.01, keep="last")


@pytest.fixture
def pairs():
    """Bright lungs on the left and on the right half."""
    masks = np.zeros((6, 32, 32, 1), np.uint8)
    masks[:, 8:24, 4:12] = 1
    masks[:, 8:24, 20:28] = 2
    noise = np.random.default_rng(0).integers(0, 20, masks.shape, dtype=np.uint8)
    return Pairs((masks > 0).astype(np.uint8) * 200 + noise, masks)


def train(config, pairs, folder, *, resume=False, on_epoch=None):
    seen = []

    def listen(epoch, logs):
        seen.append((epoch, logs))
        if on_epoch:
            on_epoch(epoch)

    state = load_state(folder / "state") if resume else None
    trainer = Trainer(config, pairs, pairs, folder, state=state)
    trainer.resume()
    trainer.fit(mean_probability, TrainEvents(on_epoch=listen))
    return trainer, seen


def mean_probability(batches):
    return {"val_dice": float(np.concatenate([*batches]).mean())}


def always_half(batches):
    for _ in batches:  # as the callback demands
        pass
    return {"val_dice": 0.5}


def weights_in(folder, network):
    """Return the weights that a training left, by means of a network of their shape."""
    kept = keras.models.clone_model(network)
    kept.load_weights(folder / "best.weights.h5")
    return np.concatenate([weight.ravel() for weight in kept.get_weights()])


def test_soft_dice_by_hand():
    mask = np.zeros((1, 2, 2, 2), np.float32)
    mask[0, 0, :, 0] = 1
    probabilities = mask * 0.5
    right, left = ops.convert_to_numpy(soft_dice(mask, probabilities))[0]
    assert right == pytest.approx((2 * 1 + 1) / (2 + 1 + 1))
    assert left == 1  # both empty


def test_a_small_lung_missed_counts_as_much_as_a_large_one():
    mask = np.zeros((2, 32, 32, 2), np.float32)
    mask[0, :, :16, 0] = 1
    mask[1, :4, :4, 0] = 1
    found_large = mask * np.array([1, 0], np.float32)[:, None, None, None]
    scores = ops.convert_to_numpy(soft_dice(mask, found_large))[:, 0]
    assert scores[0] == 1
    assert scores[1] < 0.1


def test_cross_entropy_by_hand():
    mask = np.array([[[[1.0, 0.0], [0.0, 0.0]]]], np.float32)
    logs = np.log([[[[0.1, 0.8, 0.1], [0.5, 0.3, 0.2]]]]).astype(np.float32)
    expected = -(math.log(0.8) + math.log(0.5)) / 2
    assert float(cross_entropy(mask, logs)[0]) == pytest.approx(expected)


def test_loss_agrees_with_keras():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
    truth = np.eye(3, dtype=np.float32)[rng.integers(0, 3, (2, 8, 8))]
    lungs = np.moveaxis(truth[..., 1:], -1, 1)
    loss, dice = ops.convert_to_numpy(segmentation_loss(lungs, logits))
    entropy = keras.losses.categorical_crossentropy(truth, logits, from_logits=True)
    probabilities = ops.convert_to_numpy(ops.softmax(logits))[..., 1:]
    theirs = ops.convert_to_numpy(entropy).mean(axis=(1, 2)) + 1 - dice
    np.testing.assert_allclose(loss, theirs, rtol=1e-5)
    by_lung = ops.convert_to_numpy(soft_dice(truth[..., 1:], probabilities))
    np.testing.assert_allclose(dice, by_lung.mean(axis=1), rtol=1e-5)


def test_logits_of_probabilities_give_them_back():
    classes = np.random.default_rng(0).dirichlet([1, 1, 1], (4,)).astype(np.float32)
    back = ops.convert_to_numpy(ops.softmax(logits_of(classes[..., 1:])))
    np.testing.assert_allclose(back, classes, atol=1e-5)


def test_perfect_and_certain_is_finite():
    lungs = np.zeros((1, 2, 4, 4), np.float32)
    certain = np.zeros((1, 4, 4, 2), np.float32)
    right = segmentation_loss(lungs, logits_of(certain))
    wrong = segmentation_loss(lungs, logits_of(certain + np.float32([1, 0])))
    assert float(right[0][0]) == pytest.approx(0, abs=1e-4)
    assert 10 < float(wrong[0][0]) < 20


def test_order_depends_on_seed_and_epoch(pairs):
    def first(seed, epoch):
        images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
        batches = Batches(images, images, batch_size=6, shuffle=True, seed=seed)
        batches.epoch = epoch
        return batches[0][0]["image"].ravel().tolist()

    assert first(1, 2) == first(1, 2)
    assert sorted(first(1, 2)) == list(range(6))
    assert len({tuple(first(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


class SlowAtEven(Batches):
    """Batches of which every second one takes long to read."""

    def __getitem__(self, index):
        time.sleep(0.05 * (index % 2 == 0))
        return super().__getitem__(index)


class Recorder(keras.Model):
    """Note which cases each step was given."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def train_step(self, data):
        self.steps.append(ops.convert_to_numpy(data[0]["image"])[:, 0, 0, 0].tolist())
        return {"loss": ops.zeros(())}


def test_readers_in_threads_keep_the_order_of_each_epoch():
    numbers = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1)
    batches = SlowAtEven(numbers, numbers, batch_size=2, shuffle=True, seed=3)
    expected = []
    for batches.epoch in range(3):
        expected += batches.order().reshape(4, 2).tolist()
    recorder = Recorder()
    recorder.compile(run_eagerly=True)
    tell = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch)
    )
    timed = ThroughputMeter(batches).timed
    assert timed.workers > 1  # or tf.data reads, and epochs wait
    recorder.fit(timed, epochs=3, callbacks=[tell], shuffle=False, verbose=0)
    assert recorder.steps == expected


def test_validation_sees_every_case_once(pairs):
    batches = Batches(pairs.images, pairs.masks, batch_size=4, shuffle=False)
    assert [len(batches[i][0]["image"]) for i in range(len(batches))] == [4, 2]


def test_too_few_cases(pairs):
    with pytest.raises(ValueError, match="6 cases do not fill a batch of 8"):
        Batches(pairs.images, pairs.masks, batch_size=8, shuffle=True)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns(pairs, tmp_path, precision):
    config = TrainConfig.from_dict(
        {
            **TINY.to_dict(),
            "epochs": 12,
            "precision": precision,
            "strength": 0.3,
            "learning_rate": 0.01,
        },
        where="test",
    )
    _, seen = train(config, pairs, tmp_path)
    assert [epoch for epoch, _ in seen] == list(range(1, 13))
    first, last = seen[0][1], seen[-1][1]
    assert last["loss"] < 0.7 * first["loss"]
    assert last["soft_dice"] > first["soft_dice"]
    assert {"val_loss", "val_dice", "learning_rate"} <= set(last)


def test_same_seed_same_run(pairs, tmp_path):
    losses = [
        [logs["loss"] for _, logs in train(TINY, pairs, tmp_path / name)[1]]
        for name in "ab"
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_average_is_what_is_scored_and_kept(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr("lungcli.nn.trainer._AVERAGED", 0.5)
    trainer, seen = train(AVERAGED, pairs, tmp_path)
    segmenter = trainer.segmenter
    kept = weights_in(tmp_path, segmenter.network)
    last, averaged = (
        np.concatenate([weight.ravel() for weight in network.get_weights()])
        for network in (segmenter.network, segmenter.averaged)
    )
    np.testing.assert_allclose(kept, averaged, rtol=1e-6)
    assert np.abs(kept - last).max() > 0.01
    means = [
        predict_in_batches(network, pairs.images, AVERAGED.batch_size).mean()
        for network in (segmenter.network, segmenter.averaged)
    ]
    to_last, to_average = (abs(seen[-1][1]["val_dice"] - mean) for mean in means)
    assert to_average == pytest.approx(0, abs=1e-5)
    assert to_last > 10 * to_average


def test_resume_goes_on_like_the_uninterrupted_run(pairs, tmp_path, monkeypatch):
    class StopError(Exception):
        pass

    def stop(epoch):
        if epoch == 2:
            raise StopError

    monkeypatch.setattr("lungcli.nn.trainer._AVERAGED", 0.5)
    trainer, whole = train(AVERAGED, pairs, tmp_path / "whole")
    with pytest.raises(StopError):
        train(AVERAGED, pairs, tmp_path / "cut", on_epoch=stop)
    # the state of epoch 2 comes after its report, so epoch 2 is done again
    _, rest = train(AVERAGED, pairs, tmp_path / "cut", resume=True)
    assert [epoch for epoch, _ in rest] == [2, 3]
    for name in ("loss", "val_loss"):
        assert rest[-1][1][name] == pytest.approx(whole[-1][1][name], rel=1e-3)
    np.testing.assert_allclose(
        weights_in(tmp_path / "cut", trainer.network),
        weights_in(tmp_path / "whole", trainer.network),
        rtol=1e-3,
        atol=1e-5,
    )
    assert rest[-1][1]["learning_rate"] == pytest.approx(
        whole[-1][1]["learning_rate"], abs=1e-9
    )


def test_best_weights_are_those_of_the_best_epoch(tmp_path):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    holder = type("Holder", (), {"averaged": network})()
    callback = BestWeights(tmp_path)
    callback.set_model(holder)
    for epoch, dice in enumerate([0.5, 0.9, math.nan, 0.8]):
        network.layers[0].set_weights([np.full((1, 1), dice), np.zeros(1)])
        callback.on_epoch_end(epoch, {"val_dice": dice})
    network.load_weights(tmp_path / "best.weights.h5")
    assert network.layers[0].get_weights()[0][0, 0] == pytest.approx(0.9)
    assert callback.best == 0.9


def test_the_last_weights_are_kept_on_request(tmp_path):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = BestWeights(tmp_path, keep="last")
    callback.set_model(type("Holder", (), {"averaged": network})())
    for epoch, dice in enumerate([0.9, 0.5]):
        network.layers[0].set_weights([np.full((1, 1), dice), np.zeros(1)])
        callback.on_epoch_end(epoch, {"val_dice": dice})
    network.load_weights(tmp_path / "best.weights.h5")
    assert network.layers[0].get_weights()[0][0, 0] == pytest.approx(0.5)
    assert callback.best == 0.9


def test_the_average_forgets_the_start_of_the_training(tmp_path):
    def single():
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    network, averaged = single(), single()
    callback = AverageWeights(window=2)
    callback.set_model(type("Holder", (), {"network": network, "averaged": averaged})())
    means = []
    for epoch, value in enumerate([8.0, 4.0, 0.0, 0.0]):
        network.layers[0].set_weights([np.full((1, 1), value), np.zeros(1)])
        callback.on_epoch_end(epoch)
        means.append(float(averaged.layers[0].get_weights()[0][0, 0]))
    assert means == [8.0, 6.0, 3.0, 1.5]


def test_a_training_that_diverged_ends_and_names_the_epoch():
    callback = FiniteLoss()
    optimizer = type("Optimizer", (), {"learning_rate": 0.5})
    callback.set_model(type("Holder", (), {"optimizer": optimizer})())
    callback.on_epoch_begin(6)
    callback.on_train_batch_end(3, {"loss": 1.0})
    with pytest.raises(ConfigError, match=r"in epoch 7 \(learning rate 0\.5\)"):
        callback.on_train_batch_end(4, {"loss": math.nan})


def test_weights_exist_even_if_no_dice_was_defined(tmp_path):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = BestWeights(tmp_path)
    callback.set_model(type("Holder", (), {"averaged": network})())
    callback.on_epoch_end(0, {"val_dice": math.nan})
    assert (tmp_path / "best.weights.h5").exists()


def test_cosine_warms_up_and_ends_at_zero():
    config = TrainConfig(epochs=10, learning_rate=1e-3)
    parts = plan_parts((), 0, config.epochs)
    rate = build_optimizer(config, parts, steps_per_epoch=10)._learning_rate
    values = [float(rate(step)) for step in range(101)]
    assert values[0] == 0
    assert max(values) == pytest.approx(1e-3, rel=1e-3)
    assert values.index(max(values)) == 5
    assert values[100] == pytest.approx(0, abs=1e-6)


def test_plateau_lowers_the_rate(pairs, tmp_path):
    config = TrainConfig.from_dict(
        {**TINY.to_dict(), "schedule": "plateau", "epochs": 8}, where="test"
    )
    trainer = Trainer(config, pairs, pairs, tmp_path)
    rates = []
    trainer.fit(
        always_half,
        TrainEvents(on_epoch=lambda epoch, logs: rates.append(logs["learning_rate"])),
    )
    assert rates[-1] == pytest.approx(rates[0] / 2)


def test_early_stopping_and_what_comes_after_it(pairs, tmp_path):
    """A resume has the patience that was left, added epochs begin with all of it."""

    def fit(epochs):
        settings = {**TINY.to_dict(), "patience": 1, "epochs": epochs}
        state = load_state(tmp_path / "state")
        trainer = Trainer(
            TrainConfig.from_dict(settings, where="test"),
            pairs,
            pairs,
            tmp_path,
            state=state,
        )
        trainer.resume()
        was_over, done = trainer.is_over, []
        if not was_over:
            trainer.fit(
                always_half,
                TrainEvents(on_epoch=lambda epoch, logs: done.append(epoch)),
            )
        return was_over, done

    assert fit(9) == (False, [1, 2])
    assert fit(9) == (True, [])
    was_over, done = fit(11)
    assert not was_over
    assert done == [3, 4]
