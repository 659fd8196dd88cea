"""What a source leaves open, and what becomes of what a network does not draw."""

from types import SimpleNamespace

import numpy as np
import pytest

from lungcli.anatomy import IGNORE, any_of
from lungcli.data.case import Convention
from lungcli.data.knowledge import of_convention
from lungcli.workflows.training.partial import is_partial, what_may_be

LABELS = np.array([[0, 1, 2, 3, IGNORE]], np.uint8)
OWNED = (
    SimpleNamespace(knowledge=lambda source: of_convention(Convention.HEART_EXCLUDED)),
    SimpleNamespace(source="montgomery"),
)


def test_a_network_of_lungs_takes_the_heart_for_background():
    mask = what_may_be(LABELS, OWNED, (1, 2))
    assert mask.tolist() == [[0, 1, 2, 0, IGNORE]]


def test_where_no_heart_is_drawn_it_may_be_in_the_background():
    mask = what_may_be(LABELS[:, :3], OWNED, (1, 2, 3))
    assert mask.tolist() == [[any_of(0, 3), 1, 2]]


@pytest.mark.parametrize(
    ("label", "expected"), [(3, False), (IGNORE, True), (137, True)]
)
def test_partial(label, expected):
    assert is_partial(np.array([[0, label]], np.uint8)) is expected
