import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungcli.arrays import LEFT, RIGHT
from lungcli.data.sides import derive_sides

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


def ellipse(
    shape: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]
) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    row_part = (rows - centre[0]) / radii[0]
    return row_part**2 + ((columns - centre[1]) / radii[1]) ** 2 <= 1


def lungs(scale: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Right and left lung; the right is larger and on the left of the image."""
    shape = (200 * scale, 220 * scale)
    right = ellipse(shape, (100 * scale, 60 * scale), (80 * scale, 38 * scale))
    left = ellipse(shape, (95 * scale, 160 * scale), (75 * scale, 32 * scale))
    return right, left


def test_the_right_lung_is_on_the_left_of_the_image() -> None:
    right, left = lungs()
    sides = derive_sides(right | left)
    np.testing.assert_array_equal(sides == RIGHT, right)
    np.testing.assert_array_equal(sides == LEFT, left)


def test_exact_at_the_published_size() -> None:
    right, left = lungs(scale=20)
    left[:, : 20 * 110] = False
    right[2000, 20 * 98 : left.argmax(axis=1)[2000] - 1] = True  # one pixel apart
    np.testing.assert_array_equal(derive_sides(right | left), right + 2 * left)


def test_strays_join_the_nearer_lung() -> None:
    right, left = lungs()
    mask = right | left
    mask[3:5, 100:102] = True  # above, a little nearer to the right lung's apex
    mask[195, 215] = True
    sides = derive_sides(mask)
    assert (sides[3:5, 100:102] == RIGHT).all()
    assert sides[195, 215] == LEFT


def test_a_lung_in_pieces_stays_one_lung() -> None:
    right, left = lungs()
    left[80:90] = False  # larger together than apart from the right lung's one piece
    left[120:125] = False
    np.testing.assert_array_equal(derive_sides(right | left), right + 2 * left)


@pytest.mark.parametrize("thickness", [1, 4, 20])
def test_touching_lungs_are_parted_at_the_bridge(thickness: int) -> None:
    right, left = lungs()
    mask = right | left
    mask[100 : 100 + thickness, 60:160] = True
    sides = derive_sides(mask)
    assert (sides[right] == RIGHT).all()
    assert (sides[left] == LEFT).all()
    assert ((sides > 0) == mask).all()


def test_one_broad_blob_is_cut_in_the_middle() -> None:
    mask = np.zeros((100, 140), np.bool_)
    mask[20:80, 20:120] = True
    sides = derive_sides(mask)
    assert (sides[20:80, 20:70] == RIGHT).all()
    assert (sides[20:80, 70:120] == LEFT).all()


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_a_lung_alone_goes_by_its_half(side: int) -> None:
    lung = lungs()[side - 1]
    np.testing.assert_array_equal(derive_sides(lung), lung * side)


@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_a_lung_alone_in_two_stacked_pieces(side: int) -> None:
    lung = lungs()[side - 1]
    lung[90:100] = False
    np.testing.assert_array_equal(derive_sides(lung), lung * side)


def test_a_small_lung_is_a_lung() -> None:
    right, left = lungs()
    left &= ellipse(left.shape, (40, 160), (20, 10))  # 4 % of the mask
    np.testing.assert_array_equal(derive_sides(right | left), right + 2 * left)


def test_empty_mask() -> None:
    assert not derive_sides(np.zeros((5, 7), np.bool_)).any()


@given(MASKS)
def test_labels_lie_exactly_on_the_mask(mask: np.ndarray) -> None:
    sides = derive_sides(mask)
    assert sides.dtype == np.uint8
    np.testing.assert_array_equal(sides > 0, mask)


def test_specks_in_a_large_mask_are_labelled() -> None:
    mask = np.zeros((1200, 1200), np.bool_)
    mask[1::7, 1::7] = True
    np.testing.assert_array_equal(derive_sides(mask) > 0, mask)


def test_a_flip_swaps_the_sides() -> None:
    right, left = lungs()
    mask = right | left
    mask[:4, 100:120] = True
    swapped = np.array([0, LEFT, RIGHT])[derive_sides(mask[:, ::-1])]
    np.testing.assert_array_equal(swapped[:, ::-1], derive_sides(mask))
