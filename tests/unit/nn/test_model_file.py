"""A model on disk: the same predictions after loading, and clear refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lungcli.errors import ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.find import BUNDLED, bundled_models
from lungcli.model.info import (
    WEIGHTS,
    InitialModel,
    ModelInfo,
    TrainedOn,
    load_info,
    save_info,
)
from lungcli.nn.model_file import adopt_weights, save_weights
from lungcli.nn.networks import build_network
from lungcli.nn.predictor import KerasPredictor

INFO = ModelInfo(
    network=NetworkConfig(arch="unet", size=32, filters=4, depth=2),
    convention="heart-excluded",
    threshold=0.4,
    data=(TrainedOn(name="phantoms", fingerprint="abc", cases=("a/1", "a/2")),),
    initial=InitialModel(
        name="bundled",
        fingerprint="def",
        data=(TrainedOn(name="b", fingerprint="0", cases=("b/1",), validation=("c",)),),
    ),
    license="CC0-1.0",
)


@pytest.fixture
def model(tmp_path):
    network = build_network(INFO.network)
    save_info(tmp_path, INFO)
    save_weights(network, tmp_path / WEIGHTS)
    return tmp_path, network


def test_the_network_in_the_package_is_read():
    predictor = KerasPredictor.load(bundled_models()[BUNDLED])
    assert predictor.info.network.size == 384


def test_round_trip(model):
    folder, network = model
    assert load_info(folder) == INFO
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    predictor = KerasPredictor.load(folder)
    expected = network.predict_on_batch(images.astype("float32") / 255)
    np.testing.assert_allclose(predictor.probabilities(images), expected, atol=1e-6)


def test_what_it_has_seen_counts_what_its_initial_network_had_seen():
    assert INFO.cases_trained_on == {"a/1", "a/2", "b/1"}
    assert INFO.cases_chosen_by == {"c"}


def test_a_model_without_the_newer_facts_is_read(model):
    folder, _ = model
    document = json.loads((folder / "model.json").read_text())
    for name in ("initial", "license"):
        del document[name]
    (folder / "model.json").write_text(json.dumps(document))
    info = load_info(folder)
    assert (info.initial, info.license, info.seen) == (None, "", INFO.data)


def test_result_does_not_depend_on_the_batch(model):
    _, network = model
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 1), dtype=np.uint8)
    one, two = (KerasPredictor(network, INFO, batch_size=n) for n in (1, 4))
    np.testing.assert_allclose(
        one.probabilities(images), two.probabilities(images), atol=1e-6
    )


def test_missing_model(tmp_path):
    with pytest.raises(ModelError, match=r"no model in .*model\.json is missing"):
        load_info(tmp_path)


@pytest.mark.parametrize(
    "change", [{"format": 99}, {"network": {"colour": 1}}, {"threshold": "high"}]
)
def test_a_strange_model_is_refused(model, change):
    folder, _ = model
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, **change}))
    with pytest.raises(ModelError, match=r"cannot use .*model\.json"):
        load_info(folder)


def test_broken_json_is_refused(model):
    folder, _ = model
    (folder / "model.json").write_text("{")
    with pytest.raises(ModelError, match="cannot use"):
        KerasPredictor.load(folder)


@pytest.mark.parametrize("content", [b"", b"not an HDF5 file"])
def test_broken_weights_are_refused(model, content):
    folder, _ = model
    (folder / "best.weights.h5").write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot use the weights .*best\.weights\.h5"):
        KerasPredictor.load(folder)


def test_weights_of_another_network_are_refused(model):
    folder, _ = model
    other = build_network(NetworkConfig(arch="unet", size=32, filters=8, depth=2))
    save_weights(other, folder / WEIGHTS)
    with pytest.raises(ModelError, match="cannot use the weights"):
        KerasPredictor.load(folder)


def test_missing_weights(model):
    folder, _ = model
    (folder / "best.weights.h5").unlink()
    with pytest.raises(ModelError, match="no weights in"):
        KerasPredictor.load(folder)


OLD = NetworkConfig(size=32, filters=4, depth=2, normalization="none", head="cells")
NEW = replace(OLD, normalization="equalized", head="smooth")


def test_weights_of_an_older_network_are_taken_over_but_for_two_layers(tmp_path):
    old, new = build_network(OLD), build_network(replace(NEW, size=64))
    painted = new.get_layer("logits").get_weights()
    save_weights(old, tmp_path / "w.weights.h5")
    adopt_weights(new, replace(NEW, size=64), tmp_path / "w.weights.h5", of=OLD)
    for layer in old.layers:
        if layer.weights and layer.name not in ("stem", "logits"):
            taken = new.get_layer(layer.name).get_weights()
            for own, other in zip(taken, layer.get_weights(), strict=True):
                np.testing.assert_array_equal(own, other)
    kernel = new.get_layer("stem").get_weights()[0]
    assert (kernel[:, :, 0] == 0).all()  # of the ranks, which the old one never saw
    before = old.get_layer("stem").get_weights()[0]
    np.testing.assert_array_equal(kernel[:, :, 1], before[:, :, 0])
    for own, other in zip(new.get_layer("logits").get_weights(), painted, strict=True):
        np.testing.assert_array_equal(own, other)


def test_weights_of_the_same_network_are_all_taken_over(tmp_path):
    first, second = build_network(NEW), build_network(NEW)
    save_weights(first, tmp_path / "w.weights.h5")
    adopt_weights(second, NEW, tmp_path / "w.weights.h5", of=NEW)
    for own, other in zip(second.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)


def test_a_model_that_does_not_say_how_it_saw_gray_values_saw_them_as_they_are(
    tmp_path,
):
    """So were all, before `model.json` said so."""
    save_info(tmp_path, ModelInfo(network=NEW, convention="unknown"))
    path = tmp_path / "model.json"
    document = json.loads(path.read_text())
    del document["network"]["normalization"], document["network"]["head"]
    path.write_text(json.dumps(document))
    assert load_info(tmp_path).network == OLD


@pytest.mark.parametrize("head", ["smooth", "cells"])
def test_what_both_draw_is_taken_over(tmp_path, head):
    """So the new network's lungs are the old one's; only its heart is random."""
    lungs = replace(NEW, size=64, head=head)
    both = replace(lungs, structures=("right", "left", "heart"))
    old, new = build_network(lungs), build_network(both)
    save_weights(old, tmp_path / "w.weights.h5")
    adopt_weights(new, both, tmp_path / "w.weights.h5", of=lungs)
    image = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    before, after = old.predict_on_batch(image), new.predict_on_batch(image)
    known = 1 - after[..., 2:]  # of these alone
    np.testing.assert_allclose(after[..., :2] / known, before, atol=1e-4)
    back = build_network(lungs)
    save_weights(new, tmp_path / "n.weights.h5")
    adopt_weights(back, lungs, tmp_path / "n.weights.h5", of=both)
    np.testing.assert_allclose(back.predict_on_batch(image), before, atol=1e-5)


def test_a_model_that_does_not_say_what_it_draws_draws_the_lungs(tmp_path):
    save_info(tmp_path, INFO)
    path = tmp_path / "model.json"
    document = json.loads(path.read_text())
    assert document["network"].pop("structures") == ["right", "left"]
    path.write_text(json.dumps(document))
    assert load_info(tmp_path) == INFO


@pytest.mark.parametrize("keys", [["left", "right"], ["right"], ["right", "left", "x"]])
def test_structures_that_there_are_not(tmp_path, keys):
    save_info(tmp_path, INFO)
    path = tmp_path / "model.json"
    document = json.loads(path.read_text())
    document["network"]["structures"] = keys
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="structures must be keys"):
        load_info(tmp_path)
