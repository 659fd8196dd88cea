"""Work spread over processes: order, and an end that always comes."""

import contextlib
import errno

import pytest

from lungcli.workflows.preparing.processes import map_in_processes


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    sizes = list(range(20))
    assert [len(result) for result in map_in_processes(bytes, sizes, workers)] == sizes


def test_without_shared_memory_it_goes_in_this_process(monkeypatch):
    def no_room(num_processes):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lungcli.workflows.preparing.processes._open_pool", no_room)
    assert list(map_in_processes(len, ["a", "bb"] * 10, 2)) == [1, 2] * 10


def test_stopping_while_results_are_on_their_way():
    """Results larger than a pipe's buffer: most moments are in the middle of one."""
    for _ in range(3):
        results = map_in_processes(bytes, [8_000_000] * 40, workers=2)
        with contextlib.closing(results):
            next(results)
