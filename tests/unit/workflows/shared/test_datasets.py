"""Pairs of several data sets, on disk."""

import numpy as np
import pytest

from lungcli.workflows.shared.datasets import open_all, select, store_pairs


@pytest.mark.parametrize("side", [32, 96])
def test_pairs_in_the_order_of_the_cases(prepared, tmp_path, side):
    cases = select(open_all([prepared]), "train").cases[::-1]
    images, masks = store_pairs(cases, side, folder=tmp_path)
    assert images.shape == masks.shape == (len(cases), side, side, 1)
    for index, (dataset, case) in enumerate(cases):
        image, labels = dataset.read_pair(case, side)
        np.testing.assert_array_equal(images[np.array([index])][0, ..., 0], image)
        np.testing.assert_array_equal(masks[np.array([index])][0, ..., 0], labels)


def test_no_cases(tmp_path):
    images, masks = store_pairs([], 32, folder=tmp_path)
    assert images.shape == masks.shape == (0, 32, 32, 1)
