"""Crafted files of weights: nothing is followed, unpacked or run."""

import hashlib
import json
import os
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest

from lungcli.errors import ModelError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import MODEL_JSON, WEIGHTS, ModelInfo, save_info
from lungcli.nn.model_file import load_weights, save_weights
from lungcli.nn.networks import build_network
from lungcli.nn.predictor import KerasPredictor
from lungcli.nn.state import load_state
from lungcli.nn.weights_file import check_weights

CONFIG = NetworkConfig(arch="unet", size=16, filters=2, depth=1)
FIRST = "layers/conv2d/vars"  # of the first convolution
SHAPE = (3, 3, 2, 2)


@pytest.fixture(scope="module")
def network():
    return build_network(CONFIG)


@pytest.fixture
def weights(network, tmp_path):
    """An honest file, and a secret beside it."""
    save_info(tmp_path, ModelInfo(network=CONFIG, convention="unknown"))
    save_weights(network, tmp_path / WEIGHTS)
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["secret"] = np.full(SHAPE, 7, np.float32)
    np.full(SHAPE, 7, np.float32).tofile(tmp_path / "secret.bin")
    return tmp_path / WEIGHTS


def external_link(group, folder):
    group["0"] = h5py.ExternalLink(str(folder / "secret.h5"), "secret")


def soft_link(group, folder):
    group["0"] = h5py.SoftLink("/anywhere")


def virtual(group, folder):
    layout = h5py.VirtualLayout(SHAPE, np.float32)
    layout[...] = h5py.VirtualSource(folder / "secret.h5", "secret", shape=SHAPE)
    group.create_virtual_dataset("0", layout)


def external_storage(group, folder):
    where = [(str(folder / "secret.bin"), 0, 144)]
    group.create_dataset("0", SHAPE, np.float32, external=where)


def bomb(group, folder):
    group.create_dataset(
        "0", (2**20, 2**14), np.float32, chunks=(2**10, 2**10), compression="gzip"
    )


def huge(group, folder):
    group.create_dataset("0", (2**20, 2**20), np.float32)


def objects(group, folder):
    text = h5py.string_dtype()
    group.create_dataset("0", SHAPE, text, data=np.full(SHAPE, "cos\nsystem", object))


def compound(group, folder):
    group.create_dataset("0", SHAPE, [("re", "f4"), ("im", "f4")])


def regions(group, folder):
    group.create_dataset("0", SHAPE, h5py.ref_dtype)


def named_type(group, folder):
    group["0"] = np.dtype("f4")


def circle(group, folder):
    group["0"] = group.file["layers"]


def deep(group, folder):
    for _ in range(20):
        group = group.create_group("0")


ATTACKS = (
    (external_link, "is a link to something else"),
    (soft_link, "is a link to something else"),
    (virtual, "is packed or put together from elsewhere"),
    (external_storage, "lies in another file"),
    (bomb, "is packed or put together from elsewhere"),
    (huge, r"has shape \(1048576, 1048576\), which the network lacks"),
    (objects, "holds object, not numbers"),
    (compound, "not numbers"),
    (regions, "holds object, not numbers"),
    (named_type, "is no array"),
    (circle, "leads in a circle"),
    (deep, "leads in a circle, or there are too many names"),
)


@pytest.mark.parametrize(("attack", "reason"), ATTACKS)
def test_is_refused_by_name(network, weights, attack, reason):
    with h5py.File(weights, "r+") as file:
        group = file[FIRST]
        assert group["0"].shape == SHAPE
        del group["0"]
        attack(group, weights.parent)
    before = [array.copy() for array in network.get_weights()]
    with pytest.raises(ModelError, match=reason) as refusal:
        load_weights(network, weights)
    assert str(refusal.value).startswith(f"cannot use the weights {weights} (")
    assert "\n" not in str(refusal.value)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_more_numbers_than_the_network_has(network, weights):
    with h5py.File(weights, "r+") as file:
        for number in range(500):
            file[f"more/{number}"] = np.zeros(SHAPE, np.float64)
    with pytest.raises(ModelError, match="more in it than the network has weights"):
        load_weights(network, weights)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "bfloat16"])
def test_honest_weights_are_taken(tmp_path, precision):
    network = build_network(CONFIG, dtype=precision)
    save_weights(network, tmp_path / WEIGHTS)
    check_weights(network, tmp_path / WEIGHTS)


class Payload:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (self.mark.touch, ())


def lambda_archive(path, mark):
    """A whole Keras model whose Lambda layer makes a folder."""
    name = str(mark)
    inputs = keras.Input((16, 16, 1))
    outputs = keras.layers.Lambda(lambda x: (os.mkdir(name), x)[1])(inputs)  # noqa: PTH102
    mark.rmdir()  # Keras has called it
    keras.Model(inputs, outputs).save(path.with_name("whole.keras"))
    path.with_name("whole.keras").rename(path)


def lambda_in_old_h5(path, mark):
    config = {"class_name": "Lambda", "config": {"function": ["code", None, None]}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": [config]}})
        file.attrs["layer_names"] = np.array([b"lambda"])
        file.create_group("lambda").attrs["weight_names"] = np.array([b"0"])


def pickled(path, mark):
    path.write_bytes(pickle.dumps(Payload(mark)))


def npz_of_pickles(path, mark):
    with zipfile.ZipFile(path, "w") as file, file.open("0.npy", "w") as entry:
        array = np.array([Payload(mark)], object)
        np.lib.format.write_array(entry, array, allow_pickle=True)


def pickle_in_h5(path, mark):
    with h5py.File(path, "w") as file:
        data = np.frombuffer(pickle.dumps(Payload(mark)), np.uint8)
        file[f"{FIRST}/0"] = data
        file.attrs["payload"] = np.void(pickle.dumps(Payload(mark)))


@pytest.mark.parametrize(
    "attack", [lambda_archive, lambda_in_old_h5, pickled, npz_of_pickles, pickle_in_h5]
)
def test_no_code_of_a_model_runs(weights, tmp_path, attack):
    mark = tmp_path / "mark"
    attack(weights, mark)
    assert not mark.exists()
    with pytest.raises(ModelError, match=r"cannot use the weights .* Train again"):
        KerasPredictor.load(tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"filters": 1024, "depth": 8, "size": 256, "arch": "unet"}, "more than 1 GiB"),
        (
            {"filters": 1024, "depth": 1, "size": 4096, "arch": "unet"},
            "more than 1 GiB",
        ),
        ({"filters": 10**9}, "filters must be at most 1024"),
        ({"depth": 40}, "depth must be at most 8"),
        ({"size": 2**31}, "size must be at most 4096"),
    ],
)
def test_a_network_that_no_memory_holds_is_not_built(weights, settings, reason):
    path = weights.with_name(MODEL_JSON)
    document = json.loads(path.read_text())
    document["network"] |= settings
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=reason):
        KerasPredictor.load(path.parent)


def state_document(folder, **changes):
    """Write a state of a training whose checksums are right."""
    weights = folder / "epoch-0001.npz"
    weights.write_bytes(b"weights")
    described = {
        "file": weights.name,
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    document = {
        "epoch": 1,
        "best": 0.5,
        "weights": described,
        "best_weights": described,
        "parts": [[0, 3]],
        "counts": {},
        **changes,
    }
    text = json.dumps(document, sort_keys=True)
    document["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "epoch-0001.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epoch": "1"}, "epoch must be a whole number, got '1'"),
        ({"epoch": -5}, "epoch must be at least 1, got -5"),
        ({"best": []}, r"best must be a number, got \[\]"),
        ({"weights": "/etc/passwd"}, "weights must be an object"),
        (
            {"weights": {"file": "../../etc/passwd", "sha256": ""}},
            "passwd is missing",
        ),
        ({"parts": [3]}, r"parts\[\] must be a list, got 3"),
        ({"parts": [[0, 1, 2]]}, "positional arguments"),
        ({"counts": {"EarlyStopping": {"wait": "x"}}}, "must be a number, got 'x'"),
        ({"callbacks": ["os.system"]}, "callbacks is unknown"),
    ],
)
def test_a_state_is_refused_by_the_name_of_the_field(tmp_path, changes, reason):
    state_document(tmp_path, **changes)
    with pytest.raises(ModelError, match=reason) as refusal:
        load_state(tmp_path)
    assert "\n" not in str(refusal.value)


def test_an_honest_state_is_read(tmp_path):
    state_document(tmp_path)
    state = load_state(tmp_path)
    assert (state.epoch, state.best, state.damaged) == (1, 0.5, ())
