"""The learning rate: no jump, whatever the number of epochs becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.nn.schedule import Part, SmoothCosine, plan_parts

STEPS = 10  # of an epoch


def rates(parts, steps=None):
    """Return the rates of some steps; by default of all."""
    schedule = SmoothCosine(1.0, parts, steps_per_epoch=STEPS)
    if steps is None:
        steps = range(parts[-1].end * STEPS + 1)
    return [float(schedule(step)) for step in steps]


def test_one_part_warms_up_and_ends_at_zero():
    values = rates((Part(0, 20),))
    assert values[0] == 0
    assert values.index(max(values)) == 10  # 5 % of 200 steps
    assert max(values) == pytest.approx(1)
    assert values[-1] == pytest.approx(0, abs=1e-6)


def test_what_was_trained_does_not_change_with_an_extension():
    before = rates((Part(0, 20),))
    after = rates((Part(0, 20), Part(20, 30)))
    assert after[: len(before)] == pytest.approx(before)


def test_a_finished_run_goes_on_from_zero_up_to_half_and_back():
    values = rates((Part(0, 20), Part(20, 30)))[200:]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[50] == pytest.approx(0.5)
    assert values[100] == pytest.approx(0, abs=1e-6)
    assert values[10] == pytest.approx(0.5 * 0.0954915, rel=1e-4)  # sin²(18°)


def test_from_the_middle_it_falls_on():
    first = rates((Part(0, 20),))
    values = rates((Part(0, 20), Part(8, 40)))
    assert values[:81] == pytest.approx(first[:81])
    assert first[80] > 0.5  # no wave is added
    later = values[80:]
    assert later == sorted(later, reverse=True)
    assert later[-1] == pytest.approx(0, abs=1e-6)


@given(
    st.integers(2, 30).flatmap(
        lambda end: st.tuples(st.just(end), st.integers(1, end), st.integers(1, 30))
    )
)
def test_there_is_never_a_jump(numbers):
    end, begin, more = numbers
    at = begin * STEPS
    parts = (Part(0, end), Part(begin, begin + more))
    joint, after = rates(parts, [at, at + 1])
    assert joint == pytest.approx(*rates(parts[:1], [at]), abs=1e-6)
    # one step moves it no further than the steepest wave and the cosine would
    assert abs(after - joint) < 3.2 / (more * STEPS)


def test_parts():
    assert plan_parts((), 0, 40) == (Part(0, 40),)
    once = (Part(0, 40),)
    assert plan_parts(once, 25, 40) == once
    assert plan_parts(once, 40, 30) == once  # fewer than are done: nothing to plan
    twice = plan_parts(once, 40, 60)
    assert twice == (Part(0, 40), Part(40, 60))
    assert plan_parts(twice, 50, 60) == twice
    assert plan_parts(twice, 50, 70) == (*twice, Part(50, 70))
    # thought better of before an epoch was done
    assert plan_parts(twice, 40, 50) == (Part(0, 40), Part(40, 50))
