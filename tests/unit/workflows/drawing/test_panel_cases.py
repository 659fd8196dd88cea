"""The scores beside a picture are those that an evaluation would write."""

from types import SimpleNamespace

import numpy as np
import pytest

from lungcli.anatomy import BY_KEY, STRUCTURES, Knowledge
from lungcli.data.geometry import fit_square
from lungcli.workflows.drawing.panel_cases import panel_cases

SIDE = 64
REFERENCE = np.zeros((SIDE, SIDE), np.uint8)
REFERENCE[10:50, 5:25], REFERENCE[10:50, 40:60], REFERENCE[30:50, 26:36] = 1, 2, 3
REFERENCE[60:] = 255
PREDICTED = REFERENCE.copy()
PREDICTED[40:50, 26:36] = 0  # half of the heart
PREDICTED[60:] = 1  # nobody knows


class Dataset:
    def __init__(self, heart):
        self.heart = heart

    def knowledge(self, source):
        del source
        return dict.fromkeys(BY_KEY, Knowledge.EXACT) | {"heart": self.heart}

    def read_image(self, case):
        del case
        return np.zeros((SIDE, SIDE), np.uint8)

    def read_reference(self, case):
        del case
        return REFERENCE

    read_mask = read_reference


@pytest.fixture
def drawn():
    """A function that returns the panel of a case whose source knows hearts, or not."""

    def drawn(heart):
        geometry = fit_square(SIDE, SIDE, SIDE)
        case = SimpleNamespace(
            source="s", case_id="a", has_mask=True, geometry=geometry
        )
        lungs = SimpleNamespace(
            structures=STRUCTURES, label_cases=lambda cases: [PREDICTED] * len(cases)
        )
        (panel,) = panel_cases(lungs, [(Dataset(heart), case)])
        return panel.scores

    return drawn


def test_a_heart_is_scored_where_the_source_knows_it(drawn):
    scores = drawn(Knowledge.EXACT)
    assert (scores.dice, scores.extra) == (1.0, 0.0)
    assert scores.dice_of == {"right": 1.0, "left": 1.0, "heart": pytest.approx(2 / 3)}


def test_where_it_is_not_annotated_it_has_no_score(drawn):
    assert drawn(Knowledge.ABSENT).dice_of == {"right": 1.0, "left": 1.0}
