"""Speed of a training, by the hands of a clock that the test sets."""

import threading

import numpy as np
import pytest

from lungcli.nn.batches import Batches
from lungcli.nn.throughput import Throughput, ThroughputMeter


class Clock:
    """Shows what it was set to."""

    now = 0.0

    def __call__(self):
        return self.now


class SlowBatches(Batches):
    """Batches that take a given time by the clock."""

    clock: Clock
    seconds = 0.0

    def __getitem__(self, index):
        self.clock.now += self.seconds
        return super().__getitem__(index)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def batches(clock):
    images = np.zeros((8, 4, 4, 1), np.uint8)
    batches = SlowBatches(images, images, batch_size=2, shuffle=True)
    batches.clock = clock
    return batches


@pytest.fixture
def meter(batches, clock):
    return ThroughputMeter(batches, clock=clock)


def elsewhere(function, *arguments):
    """Call a function in another thread, as Keras does for `Batches`."""
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()


def step(meter, clock, index, *, at, until, inside=lambda: None):
    """Run one step of a training."""
    clock.now = at
    meter.on_train_batch_begin(index)
    inside()
    clock.now = until
    meter.on_train_batch_end(index)


def test_nothing_measured(meter):
    assert meter.throughput == Throughput()
    assert meter.throughput.to_dict() == {
        "images_per_second": None,
        "seconds_per_epoch": None,
        "input_share": None,
        "limited_by": None,
    }


def test_one_step_says_only_how_long_the_epoch_took(meter, clock):
    meter.on_epoch_begin(0)
    step(meter, clock, 0, at=1, until=9)
    clock.now = 10
    meter.on_epoch_end(0)
    assert meter.throughput == Throughput(seconds_per_epoch=10)


def test_the_first_step_and_the_first_epoch_are_left_out(meter, clock):
    meter.on_epoch_begin(0)
    step(meter, clock, 0, at=0, until=60)  # compiles
    step(meter, clock, 1, at=60, until=62)
    clock.now = 70  # validation compiles too
    meter.on_epoch_end(0)
    for epoch, began in ((1, 70), (2, 80)):
        clock.now = began
        meter.on_epoch_begin(epoch)
        step(meter, clock, 0, at=began, until=began + 2)
        step(meter, clock, 1, at=began + 2, until=began + 4)
        clock.now = began + 5 + epoch
        meter.on_epoch_end(epoch)
    # 5 steps of 2 images in 2 s each; the epochs took 6 and 7 s
    expected = Throughput(images_per_second=1, seconds_per_epoch=6.5, input_share=0)
    assert meter.throughput == expected
    assert meter.throughput.limited_by == "computing"


def test_an_epoch_that_was_interrupted_counts_with_its_steps(meter, clock):
    meter.on_epoch_begin(7)  # after a resume
    step(meter, clock, 0, at=0, until=60)
    step(meter, clock, 1, at=60, until=61)
    clock.now = 61
    meter.on_train_batch_begin(2)  # Ctrl-C
    assert meter.throughput == Throughput(images_per_second=2, input_share=0)


def test_a_batch_made_ahead_costs_only_what_it_is_late(meter, clock):
    def make(index, ready):
        clock.now = ready
        elsewhere(meter.timed.__getitem__, index)

    meter.on_epoch_begin(0)
    step(meter, clock, 0, at=0, until=60)
    make(1, 50)  # long before its step
    step(meter, clock, 1, at=60, until=64)
    step(meter, clock, 2, at=64, until=68, inside=lambda: make(2, 67))
    # 4 images in 8 s, 3 of them spent on the second batch
    assert meter.throughput == Throughput(images_per_second=0.5, input_share=3 / 8)


def test_a_batch_made_by_the_step_costs_all_its_time(meter, batches, clock):
    batches.seconds = 3
    meter.on_epoch_begin(0)
    step(meter, clock, 0, at=0, until=60, inside=lambda: meter.timed[0])
    step(meter, clock, 1, at=60, until=64, inside=lambda: meter.timed[1])
    assert meter.throughput == Throughput(images_per_second=0.5, input_share=3 / 4)
    assert meter.throughput.limited_by == "input"


def test_starting_the_generator_counts_as_input(meter, clock):
    meter.on_epoch_begin(0)
    step(meter, clock, 0, at=0, until=60)
    meter.on_epoch_end(0)
    clock.now = 100
    meter.on_epoch_begin(1)
    step(meter, clock, 0, at=101, until=104)
    assert meter.throughput.input_share == 1 / 4


def test_the_batches_are_handed_on_unchanged(meter, batches):
    assert len(meter.timed) == len(batches) == 4
    ours, theirs = meter.timed[1][0], batches[1][0]
    assert all((ours[name] == theirs[name]).all() for name in ("image", "mask"))
