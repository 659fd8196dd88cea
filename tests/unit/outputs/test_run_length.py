"""Runs of masks: by hand, and against the line they are runs of, in both orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.outputs.run_length import run_bounds

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 7), st.integers(1, 9)),
    elements=st.integers(0, 2),
)

ORDERS = pytest.mark.parametrize("order", ["row", "column"])

#   . X X
#   X . X
MASK = np.array([[False, True, True], [True, False, True]])


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param("row", [[1, 4], [5, 6]], id="along-rows"),  # . X X X . X
        pytest.param("column", [[1, 3], [4, 6]], id="along-columns"),  # . X X . X X
    ],
)
def test_by_hand(order, expected):
    assert run_bounds(MASK, order).tolist() == expected


@ORDERS
@given(labels=LABELS)
def test_runs_are_what_they_are_said_to_be(order, labels):
    mask = labels > 0
    line = mask.ravel() if order == "row" else mask.ravel(order="F")
    bounds = run_bounds(mask, order).ravel()
    assert (np.diff(bounds) > 0).all()
    steps = np.flatnonzero(np.diff(line, prepend=False, append=False))
    np.testing.assert_array_equal(bounds, steps)


@given(labels=LABELS)
def test_columns_are_the_rows_of_the_transposed_mask(labels):
    mask = labels == 2
    np.testing.assert_array_equal(run_bounds(mask, "column"), run_bounds(mask.T, "row"))
