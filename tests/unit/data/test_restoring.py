"""Only the part that matters is scaled back, and it is the same as the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungcli.data.geometry import fit_square
from lungcli.data.restoring import from_square, from_square_within


@given(
    height=st.integers(5, 400),
    width=st.integers(5, 200),
    model=st.integers(8, 64),
    seed=st.integers(0, 99),
    least=st.floats(0.05, 0.95),
)
@settings(max_examples=150, deadline=None)
def test_the_part_equals_the_whole_and_holds_all_that_reaches_the_least(
    height, width, model, seed, least
):
    rng = np.random.default_rng(seed)
    values = rng.random((model, model, 2), np.float32) ** 4
    geometry = fit_square(height, width, 2 * model)
    whole = from_square(values, geometry)
    wanted = values.sum(axis=-1) >= least
    outside = whole.sum(axis=-1)
    for part, box in from_square_within(values, geometry, wanted):
        np.testing.assert_allclose(np.stack(part, axis=-1), whole[box], atol=1e-5)
        outside[box] = 0
    assert outside.max() < least


def test_nothing_wanted_gives_nothing():
    values = np.ones((16, 16, 2), np.float32)
    geometry = fit_square(40, 30, 16)
    nothing = np.zeros((16, 16), bool)
    assert list(from_square_within(values, geometry, nothing)) == []


def test_what_is_wanted_in_the_padding_only_is_nothing():
    geometry = fit_square(8, 16, 16)  # rows 4 to 11 are the image
    wanted = np.zeros((16, 16), bool)
    wanted[0] = True
    values = np.ones((16, 16, 1), np.float32)
    assert list(from_square_within(values, geometry, wanted)) == []


def test_values_that_are_not_square_are_refused():
    geometry = fit_square(8, 8, 8)
    with pytest.raises(ValueError, match="must be square"):
        from_square(np.zeros((8, 4), np.float32), geometry)
