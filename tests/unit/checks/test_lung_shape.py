"""Shapes of lungs: what is usual is near, what is odd is far."""

import numpy as np
import pytest

from lungcli.checks.lung_shape import GRID, LungShapes, shape_cells


def pair(top=4, bottom=20, gap=6):
    """Draw two boxes."""
    right, left = np.zeros((2, 32, 40), np.bool_)
    right[top:bottom, 4:14] = True
    left[top:bottom, 14 + gap : 24 + gap] = True
    return right, left


@pytest.fixture(scope="module")
def shapes():
    pairs = [shape_cells(*pair(gap=gap)) for gap in range(2, 12)]
    return LungShapes.learn(np.stack(pairs), components=4)


def test_place_and_size_do_not_matter():
    right, left = pair()
    np.testing.assert_array_equal(
        shape_cells(right, left),
        shape_cells(np.roll(right, 5, axis=0), np.roll(left, 5, axis=0)),
    )
    large = [np.kron(lung, np.ones((3, 3))).astype(np.bool_) for lung in (right, left)]
    apart = np.abs(shape_cells(*large) - shape_cells(right, left))
    assert apart.mean() < 0.02  # the finer grid says more of cells on the outline


def test_right_comes_first_and_cells_are_shares():
    right, left = pair()
    cells = shape_cells(right, left).reshape(2, GRID, GRID)
    assert cells[0, :, 0].tolist() == cells[1, :, -1].tolist() == [1] * GRID
    assert not cells[0, :, -1].any()
    assert 0 <= cells.min() <= cells.max() <= 1


def test_known_shapes_are_near_and_others_far(shapes):
    known = shapes.distance(shape_cells(*pair(gap=5)))
    right, left = pair(gap=5)
    swapped = shapes.distance(shape_cells(left, right))
    alone = shapes.distance(shape_cells(right, np.zeros_like(left)))
    assert known < 0.1 < min(swapped, alone)


def test_no_variation_goes_on_for_ever(shapes):
    direction = shapes.components[0] * shapes.deviations[0]
    inside, outside = shapes.mean + 2 * direction, shapes.mean + 8 * direction
    assert shapes.distance(inside) == pytest.approx(0, abs=1e-9)
    assert shapes.distance(outside) > 0.01


def test_components_are_those_of_the_covariance():
    pairs = np.random.default_rng(0).normal(size=(60, 5)) * [5, 1, 1, 1, 1] + 2
    shapes = LungShapes.learn(pairs, components=2)
    values, vectors = np.linalg.eigh(np.cov(pairs.T, bias=True))
    np.testing.assert_allclose(shapes.deviations**2, values[::-1][:2])
    np.testing.assert_allclose(
        np.abs(shapes.components @ vectors[:, -1]), [1, 0], atol=1e-9
    )


def test_no_lung(shapes):
    nothing = np.zeros((8, 8), np.bool_)
    cells = shape_cells(nothing, nothing)
    assert not cells.any()
    assert shapes.distance(cells) == 0


def test_written_and_read(shapes):
    again = LungShapes.from_dict(shapes.to_dict())
    cells = shape_cells(*pair(gap=9))
    assert again.distance(cells) == pytest.approx(shapes.distance(cells), abs=0.01)
    assert again.components.shape == (4, 2 * GRID * GRID)
