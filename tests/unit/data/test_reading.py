from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lungcli.anatomy import STRUCTURES
from lungcli.arrays import LEFT, RIGHT
from lungcli.data.case import Case, MaskFiles
from lungcli.data.reading import (
    DERIVED,
    GIVEN,
    MaskSizeError,
    read_case_labels,
)
from lungcli.errors import ImageError

SHAPE = (40, 60)


def box(left: int, right: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:35, left:right] = 255
    return mask


@pytest.fixture
def save(tmp_path: Path):
    def write(name: str, pixels: np.ndarray) -> Path:
        Image.fromarray(pixels).save(tmp_path / name)
        return tmp_path / name

    return write


def case(image: Path, **masks: object) -> Case:
    apart = {each.key: masks.pop(each.key) for each in STRUCTURES if each.key in masks}
    files = MaskFiles(apart=apart, **masks) if apart or masks else None
    return Case(case_id="a", patient_id="a", source="x", image_path=image, masks=files)


def test_sides_apart_are_merged_with_or(save) -> None:
    labels = read_case_labels(
        case(
            Path("a.png"),
            right=(save("r1.png", box(5, 15)), save("r2.png", box(10, 20))),
            left=(save("l.png", box(40, 55)),),
        ),
        SHAPE,
    )
    assert labels.sides == GIVEN
    np.testing.assert_array_equal(labels.labels == RIGHT, box(5, 20) > 0)
    np.testing.assert_array_equal(labels.labels == LEFT, box(40, 55) > 0)


def test_given_sides_are_believed(save) -> None:
    swapped = case(
        Path("a.png"),
        right=(save("r.png", box(40, 55)),),
        left=(save("l.png", box(5, 20)),),
    )
    labels = read_case_labels(swapped, SHAPE)
    assert (labels.labels[10, 10], labels.labels[10, 50]) == (LEFT, RIGHT)


def test_overlap_goes_to_the_nearer_lung(save) -> None:
    both = case(
        Path("a.png"),
        right=(save("r.png", box(10, 33)),),  # centre 21
        left=(save("l.png", box(27, 50)),),  # centre 38
    )
    row = read_case_labels(both, SHAPE).labels[10]
    assert row[10:50].tolist() == [RIGHT] * 20 + [LEFT] * 20


def test_combined_mask_gets_derived_sides(save) -> None:
    combined = case(Path("a.png"), combined=(save("m.png", box(5, 20) | box(40, 55)),))
    labels = read_case_labels(combined, SHAPE)
    assert labels.sides == DERIVED
    assert (labels.labels[10, 10], labels.labels[10, 50]) == (RIGHT, LEFT)


def test_label_map_keeps_its_sides(save) -> None:
    drawn = ((box(5, 20) > 0) * LEFT + (box(40, 55) > 0) * RIGHT).astype(np.uint8)
    labels = read_case_labels(
        case(Path("a.png"), combined=(save("m.png", drawn),)), SHAPE
    )
    assert labels.sides == GIVEN
    np.testing.assert_array_equal(labels.labels, drawn)


def test_empty_mask_has_no_sides(save) -> None:
    empty = case(Path("a.png"), combined=(save("m.png", box(0, 0)),))
    labels = read_case_labels(empty, SHAPE)
    assert labels.sides == ""
    assert not labels.labels.any()


def test_mask_on_the_coarser_grid_is_enlarged_exactly(save) -> None:
    right, left = box(5, 20), box(40, 55)
    coarse = case(
        Path("a.png"),
        right=(save("r.gif", right),),
        left=(save("l.gif", left),),
        scale=2,
    )
    labels = read_case_labels(coarse, (80, 120)).labels
    np.testing.assert_array_equal(labels[::2, ::2] == RIGHT, right > 0)
    np.testing.assert_array_equal(labels[1::2, 1::2], labels[::2, ::2])
    np.testing.assert_array_equal(
        read_case_labels(coarse, SHAPE).labels, labels[::2, ::2]
    )


@pytest.mark.parametrize("shape", [(60, 40), (80, 120), (41, 60)])
def test_mask_of_other_size(save, shape: tuple[int, int]) -> None:
    wrong = case(Path("a.png"), combined=(save("m.png", box(5, 20)),))
    message = rf"m\.png has 60×40 pixels, its image a\.png {shape[1]}×{shape[0]}"
    with pytest.raises(MaskSizeError, match=message):
        read_case_labels(wrong, shape)


def test_missing_mask_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot read .*m\.png"):
        read_case_labels(case(Path("a.png"), combined=(tmp_path / "m.png",)), SHAPE)


def test_case_without_masks() -> None:
    with pytest.raises(ValueError, match="case a has no masks"):
        read_case_labels(case(Path("a.png")), SHAPE)


def test_the_heart_wins_over_a_lung(save) -> None:
    drawn = case(
        Path("a.png"),
        right=(save("r.png", box(5, 20)),),
        left=(save("l.png", box(35, 55)),),
        heart=(save("h.png", box(18, 40)),),
    )
    labels = read_case_labels(drawn, SHAPE)
    assert labels.labels[10].tolist() == (
        [0] * 5 + [1] * 13 + [3] * 22 + [2] * 15 + [0] * 5
    )
    assert (labels.sides, labels.overlap) == (GIVEN, 30 * 7)


def test_lungs_are_parted_without_the_heart(save) -> None:
    """A binary mask of the lungs, and one of the heart that joins them."""
    drawn = case(
        Path("a.png"),
        combined=(save("m.png", box(5, 20) | box(40, 55)),),
        heart=(save("h.png", box(20, 40)),),
    )
    labels = read_case_labels(drawn, SHAPE)
    assert labels.sides == DERIVED
    assert [labels.labels[10, column] for column in (10, 30, 50)] == [1, 3, 2]


def test_what_is_ignored_is_no_lung(save) -> None:
    drawn = ((box(5, 20) > 0) + (box(40, 55) > 0) * 2 + (box(21, 39) > 0) * 255).astype(
        np.uint8
    )
    labels = read_case_labels(
        case(Path("a.png"), combined=(save("m.png", drawn),)), SHAPE
    )
    np.testing.assert_array_equal(labels.labels, drawn)
