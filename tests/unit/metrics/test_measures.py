"""Measures of the lungs: by hand, laws, and what is not there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.metrics.measures import Box, measure, measure_columns

LABELS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(0, 2),
)

DRAWN = [
    "........",
    ".RR..L..",
    ".RRR.LL.",
    ".RRR....",
    "........",
]
LUNGS = np.array([[".RL".index(c) for c in row] for row in DRAWN], np.uint8)


def test_by_hand():
    result = measure(LUNGS)
    assert (result.right.area_px, result.left.area_px, result.lungs.area_px) == (
        8,
        3,
        11,
    )
    assert result.right.box == Box(x=1, y=1, width=3, height=3)
    assert result.left.box == Box(x=5, y=1, width=2, height=2)
    assert result.lungs.box == Box(x=1, y=1, width=6, height=3)
    assert result.symmetry == 3 / 8


def test_thorax_is_measured_in_one_row_that_meets_both_lungs():
    thorax = measure(LUNGS).thorax
    assert (thorax.width_px, thorax.row) == (6, 2)  # row 1 has 5, row 3 one lung only


def test_crop_has_a_margin_within_the_image():
    assert measure(LUNGS, margin=0).crop == Box(1, 1, 6, 3)
    assert measure(LUNGS, margin=0.1).crop == Box(0, 0, 8, 5)  # 0.6 rounded up to 1
    assert measure(LUNGS, margin=1).crop == Box(0, 0, 8, 5)


def test_millimetres_of_pixels_that_are_not_square():
    row = measure(LUNGS, (0.5, 0.2)).to_dict()
    assert row["right.area_mm2"] == pytest.approx(8 * 0.1)
    assert row["right.width_mm"] == pytest.approx(3 * 0.2)
    assert row["right.height_mm"] == pytest.approx(3 * 0.5)
    assert row["thorax.width_mm"] == pytest.approx(6 * 0.2)
    assert row["lungs.height_mm"] == pytest.approx(3 * 0.5)


def test_unknown_spacing_gives_no_millimetres():
    row = measure(LUNGS).to_dict()
    assert {name for name, value in row.items() if value is None} == {
        name for name in row if name.endswith(("_mm", "_mm2"))
    }


def test_a_missing_lung():
    result = measure(np.where(LUNGS == 2, 0, LUNGS).astype(np.uint8), (1.0, 1.0))
    row = result.to_dict()
    assert result.symmetry == 0
    assert result.thorax is None
    assert (row["left.area_px"], row["left.area_mm2"]) == (0, 0)
    assert row["left.x_px"] is row["left.width_mm"] is row["thorax.width_mm"] is None
    assert result.lungs == result.right


def test_no_lungs():
    row = measure(np.zeros((3, 4), np.uint8)).to_dict()
    assert row["lungs.area_px"] == row["lungs.image_fraction"] == 0
    assert row["symmetry"] is row["crop.x_px"] is row["lungs.x_px"] is None


def test_full_and_one_pixel():
    assert measure(np.ones((3, 4), np.uint8)).crop == Box(0, 0, 4, 3)
    row = measure(np.full((1, 1), 2, np.uint8), (0.1, 0.1)).to_dict()
    assert row["left.area_mm2"] == pytest.approx(0.01)
    assert row["lungs.image_fraction"] == 1


def test_columns_are_those_of_every_row():
    assert tuple(measure(LUNGS, (1.0, 1.0)).to_dict()) == measure_columns()
    assert "right.area_px" in measure_columns()
    assert len(set(measure_columns())) == len(measure_columns())


@given(labels=LABELS)
def test_laws(labels):
    result = measure(labels)
    assert result.right.area_px + result.left.area_px == result.lungs.area_px
    if result.lungs.box is None:
        return
    x, y, width, height = result.lungs.box
    inside = labels[y : y + height, x : x + width]
    assert np.count_nonzero(inside) == result.lungs.area_px
    assert inside[0].any()
    assert inside[-1].any()
    assert inside[:, 0].any()
    assert inside[:, -1].any()
    if result.thorax is not None:
        assert 2 <= result.thorax.width_px <= width


@given(labels=LABELS)
def test_mirroring_moves_nothing_but_the_boxes(labels):
    there, back = measure(labels), measure(labels[:, ::-1])
    assert there.symmetry == back.symmetry
    assert there.thorax == back.thorax
    assert there.right.area_px == back.right.area_px
    if there.right.box is not None:
        mirrored = labels.shape[1] - there.right.box.x - there.right.box.width
        assert back.right.box == there.right.box._replace(x=mirrored)


@pytest.mark.parametrize("turned", range(4))
def test_a_turned_grid_changes_no_millimetre_of_the_patient(turned):
    row_mm, column_mm = 0.5, 0.2
    spacing_mm = (column_mm, row_mm) if turned % 2 else (row_mm, column_mm)
    stored = np.rot90(LUNGS, -turned)
    found = measure(stored, spacing_mm, quarter_turns=turned)
    row, upright = found.to_dict(), measure(LUNGS, (row_mm, column_mm)).to_dict()
    lengths = [name for name in row if name.endswith(("_mm", "_mm2"))]
    assert {name: row[name] for name in lengths} == pytest.approx(
        {name: upright[name] for name in lengths}
    )
    assert row["thorax.width_px"] == 6
    assert row["thorax.y_px"] == {0: 2, 2: len(DRAWN) - 1 - 2}.get(turned)
    x, y, width, height = found.right.box  # boxes lie on the stored grid
    assert np.count_nonzero(stored[y : y + height, x : x + width] == 1) == 8


def test_what_is_refused():
    with pytest.raises(ValueError, match="must be 2-D, uint8"):
        measure(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"margin -0\.1: must be at least 0"):
        measure(LUNGS, margin=-0.1)
