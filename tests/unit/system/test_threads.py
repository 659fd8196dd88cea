"""Work in threads: in order, with little under way."""

import threading

import pytest

from lungcli.errors import OutputError
from lungcli.system.threads import in_order


def test_results_come_in_order_and_few_are_begun_ahead():
    begun = []
    lock = threading.Lock()

    def work(number):
        with lock:
            begun.append(number)
        return number

    results = in_order(work, range(50), 2)
    for expected in range(50):
        assert next(results) == expected
        with lock:
            assert len(begun) <= expected + 1 + 2 * 4  # ahead, for each thread
    assert list(results) == []


def test_items_are_drawn_only_as_they_are_needed():
    drawn = []

    def items():
        for number in range(50):
            drawn.append(number)
            yield number

    results = in_order(str, items(), 1, ahead=2)
    assert next(results) == "0"
    assert len(drawn) <= 1 + 2
    assert list(results) == [str(number) for number in range(1, 50)]


def test_several_threads_work():
    both = threading.Barrier(2, timeout=30)
    assert list(in_order(lambda _: both.wait(), "ab", 2)) in ([0, 1], [1, 0])


def test_an_error_comes_out_and_what_waits_is_not_begun():
    begun = []

    def work(number):
        if number == 0:
            msg = "the disk is full"
            raise OutputError(msg)
        begun.append(number)

    results = in_order(work, range(100), 1)
    with pytest.raises(OutputError, match="disk is full"):
        list(results)
    assert len(begun) < 10


def test_nothing_to_do():
    assert list(in_order(str, [], 2)) == []
