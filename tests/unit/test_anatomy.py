"""The table of structures holds together."""

import numpy as np
import pytest

from lungcli import anatomy
from lungcli.arrays import is_lung


def test_labels_are_those_of_files_already_written():
    assert [(each.key, each.label) for each in anatomy.STRUCTURES] == [
        ("right", 1),
        ("left", 2),
        ("heart", 3),
    ]


@pytest.mark.parametrize("structure", anatomy.STRUCTURES, ids=lambda each: each.key)
def test_every_row_holds(structure):
    assert 0 < structure.label < anatomy.IGNORE
    mirror = anatomy.BY_KEY[structure.mirror]
    assert anatomy.BY_KEY[mirror.mirror] is structure
    assert (structure.side == mirror.side) == (structure is mirror)
    assert all(0 <= value <= 255 for value in structure.colour)


def test_nothing_is_there_twice():
    for of in ("key", "label", "name", "colour"):
        values = [getattr(each, of) for each in anatomy.STRUCTURES]
        assert len(set(values)) == len(values)


def test_only_lungs_are_lung():
    every = np.arange(256, dtype=np.uint8)[None]
    assert np.flatnonzero(is_lung(every)).tolist() == [1, 2]


def test_an_unknown_key():
    with pytest.raises(KeyError, match="spleen"):
        anatomy.named(["spleen"])
