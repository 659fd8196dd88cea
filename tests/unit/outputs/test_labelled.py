"""What is written of all that was drawn."""

import numpy as np

from lungcli.anatomy import LUNGS, STRUCTURES


def test_only_the_lungs(make_chest, chest):
    probabilities = np.random.default_rng(0).random((40, 50, 3), np.float32)
    xray = make_chest(probabilities=probabilities)
    only = xray.only(LUNGS)
    assert set(np.unique(only.labels)) == {0, 1, 2}
    np.testing.assert_array_equal(only.labels == 0, (chest == 0) | (chest == 3))
    assert only.labels.dtype == np.uint8
    np.testing.assert_array_equal(only.probabilities, probabilities[..., :2])
    assert only.structures == LUNGS
    assert 3 in xray.labels


def test_everything(make_chest):
    xray = make_chest()
    assert xray.only(STRUCTURES) == xray
