"""What waits on disk comes back as from a list."""

from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.system.spool import Spool

ITEMS = st.lists(st.one_of(st.integers(), st.text(), st.binary(max_size=20_000)))


@pytest.fixture
def file():
    with TemporaryFile() as file:
        yield file


@given(items=ITEMS, cut=st.slices(9))
def test_it_reads_as_a_list_does(items, cut):
    with TemporaryFile() as file:
        spool = Spool(file)
        for item in items:
            spool.append(item)
        assert len(spool) == len(items)
        assert list(spool) == items
        assert list(reversed(spool)) == items[::-1]
        assert spool[cut] == items[cut]


def test_more_comes_after_some_was_read(file):
    spool = Spool(file)
    for number in range(5):
        spool.append(number)
        assert spool[0] == 0
        assert spool[-1] == number
    assert list(spool) == [0, 1, 2, 3, 4]


def test_what_is_not_there(file):
    spool = Spool(file)
    assert not spool
    with pytest.raises(IndexError):
        spool[0]


def test_what_could_not_be_written_is_not_there(file):
    spool = Spool(file)
    spool.append("before")
    with pytest.raises(TypeError):
        spool.append(file)
    spool.append("after")
    assert list(spool) == ["before", "after"]
