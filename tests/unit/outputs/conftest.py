"""What every output format is tried on."""

from pathlib import PurePosixPath

import numpy as np
import pytest

from lungcli.anatomy import HEART, STRUCTURES
from lungcli.arrays import LEFT, RIGHT
from lungcli.outputs.labelled import LabelledXray

SHAPES = {
    "empty": np.zeros((5, 7), np.uint8),
    "full": np.full((5, 7), RIGHT, np.uint8),
    "one-pixel": np.eye(1, dtype=np.uint8),
    "one-row": np.array([[0, 1, 1, 0, 2]], np.uint8),
    "one-column": np.array([[2], [2], [0], [1]], np.uint8),
    "corners": np.array([[1, 0, 2], [0, 0, 0], [2, 0, 1]], np.uint8),
}


@pytest.fixture(params=list(SHAPES.values()), ids=list(SHAPES))
def labels(request):
    """Label maps at the edges of what there is."""
    return request.param


@pytest.fixture
def make_xray():
    """A function that turns labels into a labelled CXR."""

    def make(labels, **facts):
        name = facts.pop("name", "ward/chest.png")
        image = np.zeros(labels.shape, np.uint8)
        return LabelledXray(
            name=PurePosixPath(name), image=image, labels=labels, **facts
        )

    return make


@pytest.fixture
def lungs():
    """A small map with the right lung on the left of the picture, and the larger."""
    labels = np.zeros((40, 50), np.uint8)
    labels[5:35, 5:20] = RIGHT
    labels[8:30, 30:43] = LEFT
    return labels


@pytest.fixture
def chest(lungs):
    """The lungs and a heart: columns 20-29 of rows 18-33, 160 pixels."""
    lungs[18:34, 20:30] = HEART.label
    return lungs


@pytest.fixture
def make_chest(make_xray, chest):
    """A function that returns a CXR whose heart was looked for, and found."""

    def make(**facts):
        return make_xray(facts.pop("labels", chest), structures=STRUCTURES, **facts)

    return make
