"""Many X-rays at a time, in order, with little under way."""

import threading

import pytest

from lungcli.errors import OutputError
from lungcli.workflows.batch import _in_order


def test_results_come_in_order_and_few_are_begun_ahead():
    begun = []
    lock = threading.Lock()

    def task(number):
        def work():
            with lock:
                begun.append(number)
            return number

        return work

    results = _in_order([task(number) for number in range(50)], 2)
    for expected in range(50):
        assert next(results) == expected
        with lock:
            assert len(begun) <= expected + 1 + 2 * 4  # _AHEAD for each thread
    assert list(results) == []


def test_several_threads_work():
    both = threading.Barrier(2, timeout=30)
    assert list(_in_order([both.wait, both.wait], 2)) in ([0, 1], [1, 0])


def test_an_error_comes_out_and_what_waits_is_not_begun():
    begun = []

    def fail():
        msg = "the disk is full"
        raise OutputError(msg)

    def late():
        begun.append(1)

    results = _in_order([fail, *[late] * 100], 1)
    with pytest.raises(OutputError, match="disk is full"):
        list(results)
    assert len(begun) < 10


def test_nothing_to_do():
    assert list(_in_order([], 2)) == []
