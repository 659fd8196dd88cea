"""Signals that wait until nothing is half done."""

import signal
import threading

import pytest

from lungcli.system.interrupts import deferred


def test_it_waits_for_the_end_of_the_block():
    done = []

    def work():
        with deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all"]


def test_or_for_a_moment_that_suits():
    def work():
        with deferred() as deliver:
            deliver()  # nothing came
            signal.raise_signal(signal.SIGINT)
            deliver()
            pytest.fail("it was not delivered")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_is_delivered_once_to_the_handler_from_before(monkeypatch):
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with deferred() as deliver:
            signal.raise_signal(signal.SIGTERM)
            assert came == []
            deliver()
            assert came == [signal.SIGTERM]
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_ends_the_process_without_a_word_still_does():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with deferred():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_thread_has_nothing_to_put_off():
    seen = []

    def work():
        with deferred() as deliver:
            deliver()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
