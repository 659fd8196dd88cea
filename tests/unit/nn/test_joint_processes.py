"""What one process of several does when another stops, refuses or dies; pretended."""

import pytest

from lungcli.errors import ConfigError, OutputError
from lungcli.nn import distribution, stopping
from lungcli.nn.distribution import (
    JointProcess,
    anywhere,
    failing_together,
    others_watched,
)
from lungcli.nn.stopping import StopRequests


@pytest.fixture
def two(monkeypatch):
    """Pretend two processes; return a function that says what the other one tells."""
    for module in (distribution, stopping):
        monkeypatch.setattr(module, "this_process", lambda: JointProcess(0, 2))

    def other(says):
        for module in (distribution, stopping):
            monkeypatch.setattr(module, "anywhere", lambda flag: flag or says)

    return other


def interrupt():
    raise KeyboardInterrupt


def test_alone_one_flag_counts():
    assert anywhere(True)
    assert not anywhere(False)


def test_two_stop_only_after_an_epoch(two):
    two(False)
    stops = StopRequests(interrupt, items=3)
    stops.on_train_batch_end(0)
    with pytest.raises(KeyboardInterrupt):
        stops.on_epoch_end(0)


@pytest.mark.parametrize("asked", [True, False])
def test_one_stops_with_the_other(two, asked):
    two(asked)
    stops = StopRequests(lambda: None, items=3)
    if not asked:
        stops.on_epoch_end(0)
        return
    with pytest.raises(KeyboardInterrupt):
        stops.on_epoch_end(0)


def test_who_refuses_says_why(two):
    two(False)
    with pytest.raises(OutputError, match="full"), failing_together():
        raise OutputError("full")


def test_the_others_refuse_too(two):
    two(True)
    with pytest.raises(ConfigError, match="could not begin"), failing_together():
        pass


@pytest.mark.parametrize("kind", [ValueError, RuntimeError])
def test_a_process_that_has_gone(two, kind):
    two(False)
    with (
        pytest.raises(ConfigError, match=r"has gone \(UNKNOWN: Gloo.*--resume"),
        others_watched(),
    ):
        raise kind("UNKNOWN: Gloo AllGather failed: Connection closed\nmore")


def test_other_errors_are_left_alone(two):
    two(False)
    with pytest.raises(ValueError, match="a bug"), others_watched():
        raise ValueError("a bug")


def test_alone_nobody_else_has_gone():
    with pytest.raises(RuntimeError, match="Gloo"), others_watched():
        raise RuntimeError("Gloo")
