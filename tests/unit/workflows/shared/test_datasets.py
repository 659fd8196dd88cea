"""Pairs of several data sets, in memory and on disk."""

import numpy as np
import pytest

from lungcli.workflows.shared.datasets import load_pairs, open_all, select, store_pairs


@pytest.mark.parametrize("side", [32, 96])
def test_on_disk_as_in_memory(prepared, tmp_path, side):
    cases = select(open_all([prepared]), "train").cases
    images, masks = load_pairs(cases, side)
    assert images.shape == masks.shape == (len(cases), side, side, 1)
    assert images.dtype == masks.dtype == np.uint8
    every = np.arange(len(cases))
    stored = store_pairs(cases, side, folder=tmp_path)
    for kept, loaded in zip(stored, (images, masks), strict=True):
        np.testing.assert_array_equal(kept[every], loaded)


def test_in_the_order_of_the_cases(prepared):
    cases = select(open_all([prepared]), "train").cases
    images, masks = load_pairs(cases[::-1], 32)
    dataset, first = cases[0]
    image, labels = dataset.read_pair(first, 32)
    np.testing.assert_array_equal(images[-1, ..., 0], image)
    np.testing.assert_array_equal(masks[-1, ..., 0], labels)


def test_no_cases():
    images, masks = load_pairs([], 32)
    assert images.shape == masks.shape == (0, 32, 32, 1)
