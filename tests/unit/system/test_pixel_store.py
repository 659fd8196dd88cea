"""Pixels on disk read as pixels in memory do."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.errors import OutputError
from lungcli.system.pixel_store import PixelStore


@pytest.fixture
def pixels():
    shape = (5, 4, 4, 1)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def store(pixels, tmp_path):
    filled = PixelStore(tmp_path, pixels.shape)
    for index, case in enumerate(pixels):
        filled[index] = case
    return filled


def test_it_has_the_size_of_the_array(store, pixels):
    assert len(store) == len(pixels)
    assert store.shape == pixels.shape
    assert store.nbytes == pixels.nbytes


@given(chosen=st.lists(st.integers(0, 4), max_size=9))
def test_any_cases_in_any_order(tmp_path_factory, chosen):
    pixels = np.arange(5 * 6, dtype=np.uint8).reshape(5, 2, 3)
    store = PixelStore(tmp_path_factory.getbasetemp(), pixels.shape)
    for index in (3, 0, 4, 1, 2):
        store[index] = pixels[index]
    order = np.array(chosen, np.int64)
    np.testing.assert_array_equal(store[order], pixels[order])


def test_what_is_read_is_a_copy(store, pixels):
    first = np.array([0])
    store[first][:] = 0
    np.testing.assert_array_equal(store[first], pixels[first])


def test_nothing_lies_in_the_folder(store, tmp_path):
    assert len(store) == 5
    assert list(tmp_path.iterdir()) == []


def test_threads_do_not_disturb_each_other(store, pixels):
    wrong = []

    def read(index):
        for _ in range(200):
            if not (store[np.array([index])] == pixels[index]).all():
                wrong.append(index)

    threads = [threading.Thread(target=read, args=(index,)) for index in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_case_of_another_shape_is_a_bug(store):
    with pytest.raises(ValueError, match="reshape"):
        store[0] = np.zeros((3, 3, 1), np.uint8)


def test_a_case_that_was_not_written(tmp_path):
    store = PixelStore(tmp_path, (2, 4, 4, 1))
    with pytest.raises(OSError, match="case 1 was not written"):
        store[np.array([1])]


def test_a_full_disk_names_the_remedy(monkeypatch, tmp_path):
    full = Path("/dev/full").open("r+b", buffering=0)  # noqa: SIM115
    monkeypatch.setattr(
        "lungcli.system.pixel_store.tempfile.TemporaryFile", lambda **how: full
    )
    store = PixelStore(tmp_path, (600, 64, 64, 1))
    with pytest.raises(OutputError, match=r"600 cases .*No space.*4 MiB.*--run"):
        store[0] = np.zeros((64, 64, 1), np.uint8)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="cannot keep the pixels of 2 cases"):
        PixelStore(tmp_path / "none", (2, 4, 4, 1))
