"""Snapshots: everything comes back, and nothing else is read."""

import io
from zipfile import ZIP_DEFLATED, ZipFile

import keras
import numpy as np
import pytest

from lungcli.nn.snapshot import load_snapshot, save_snapshot


def trained(seed):
    """A network with batch norm, and an optimizer with moments."""
    keras.utils.set_random_seed(seed)
    layers = [
        keras.Input((3,)),
        keras.layers.Dense(2),
        keras.layers.BatchNormalization(),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer=keras.optimizers.AdamW(0.1), loss="mse")
    x = np.random.default_rng(seed).normal(size=(8, 3))
    model.fit(x, x[:, :2], epochs=2, verbose=0)
    return model


def numbers(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in variables]


@pytest.fixture(scope="module")
def first():
    return trained(1)


@pytest.fixture
def path(first, tmp_path):
    save_snapshot(first, tmp_path / "epoch-0002.npz")
    return tmp_path / "epoch-0002.npz"


def test_every_number_comes_back(first, path):
    second = trained(2)
    before = numbers(second)
    load_snapshot(second, path)
    found = numbers(second)
    assert len(found) == len(numbers(first)) >= 12
    for one, other in zip(found, numbers(first), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert not all(np.array_equal(a, b) for a, b in zip(before, found, strict=True))


def test_a_training_goes_on_as_if_nothing_had_happened(first, path):
    x = np.random.default_rng(5).normal(size=(8, 3))
    second = trained(2)
    load_snapshot(second, path)
    losses = [model.train_on_batch(x, x[:, :2]) for model in (first, second)]
    assert losses[0] == losses[1]
    for one, other in zip(numbers(first), numbers(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_backend_counts_in_other_integers(first, path):
    """JAX counts steps in int32, TensorFlow in int64."""
    found = members(path)
    places = [n for n, one in enumerate(numbers(first)) if one.dtype.kind in "iu"]
    assert places
    for place in places:
        value = numbers(first)[place]
        other = np.int32 if value.dtype == np.int64 else np.int64
        found[f"{place:05d}.npy"] = array(value.astype(other))
    rewrite(path, found)
    second = trained(2)
    load_snapshot(second, path)
    for one, other in zip(numbers(second), numbers(first), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def members(path):
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, found, **options):
    with ZipFile(path, "w", **options) as archive:
        for name, content in found.items():
            archive.writestr(name, content)


def array(value, **options):
    stream = io.BytesIO()
    np.save(stream, value, **options)
    return stream.getvalue()


def lack_one(path):
    found = members(path)
    del found["00003.npy"]
    rewrite(path, found)


def pack(path):
    rewrite(path, members(path), compression=ZIP_DEFLATED)


def change_a_shape(path):
    rewrite(path, members(path) | {"00000.npy": array(np.zeros((3, 9), np.float32))})


def change_a_type(path):
    rewrite(path, members(path) | {"00000.npy": array(np.zeros((3, 2)))})


def hide_an_object(path):
    thing = np.array([{"a": 1}], dtype=object)
    rewrite(path, members(path) | {"00000.npy": array(thing, allow_pickle=True)})


def spoil_the_header(path):
    found = members(path)
    content = found["00000.npy"].replace(b"{'descr'", b"{[]: ((((")
    rewrite(path, found | {"00000.npy": content})


def promise_more(path):
    found = members(path)
    rewrite(path, found | {"00000.npy": found["00000.npy"][:-4]})


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lack_one, "arrays, not"),
        (pack, "00000.npy is packed"),
        (change_a_shape, r"00000.npy is no float32 of shape \(3, 2\)"),
        (change_a_type, "is no float32"),
        (hide_an_object, "is no float32"),
        (spoil_the_header, "is no float32"),
        (promise_more, "reshape"),
        (cut, "zip"),
        (empty, "zip"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(first, path, damage, said):
    damage(path)
    before = numbers(first)
    with pytest.raises(ValueError, match=said):
        load_snapshot(first, path)
    for one, other in zip(before, numbers(first), strict=True):
        np.testing.assert_array_equal(one, other)
