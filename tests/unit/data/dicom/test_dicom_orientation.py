import numpy as np
import pytest
from pydicom.dataset import Dataset

from lungcli.data.dicom.orientation import Orientation, read_orientation, read_view
from lungcli.data.read_xray import read_xray


def oriented(*values):
    dataset = Dataset()
    dataset.PatientOrientation = list(values)
    return dataset


@pytest.mark.parametrize(
    ("values", "turns", "mirrored"),
    [
        (("L", "F"), 0, False),
        (("R", "F"), 0, True),
        (("R", "H"), 2, False),
        (("L", "H"), 2, True),
        (("H", "L"), 1, False),
        (("F", "R"), 3, False),
        (("F", "L"), 3, True),
        (("A", "F"), 0, None),  # lateral
        (("LP", "FA"), 0, False),  # main direction first
    ],
)
def test_turns_and_mirroring(values, turns, mirrored):
    assert read_orientation(oriented(*values)) == Orientation(turns, mirrored)


@pytest.mark.parametrize(
    "values", [(), ("L",), ("L", "R"), ("F", "F"), ("A", "L"), ("X", "F")]
)
def test_what_does_not_tell(values):
    assert read_orientation(oriented(*values)) == Orientation(None, None)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turning_back_what_was_turned(turns, mirrored):
    """Letters at the edges of a picture, turned as its pixels are."""
    picture = np.array([["", "H", ""], ["R", "", "L"], ["", "F", ""]])
    if mirrored:
        picture = picture[:, ::-1]
    stored = np.rot90(picture, -turns)
    found = read_orientation(oriented(str(stored[1, 2]), str(stored[2, 1])))
    assert found == Orientation(turns, mirrored)
    upright = np.rot90(stored, found.quarter_turns)
    assert upright[2, 1] == "F"
    assert upright[1, 0] == ("L" if found.mirrored else "R")


def coded(value):
    item = Dataset()
    item.CodeValue = value
    dataset = Dataset()
    dataset.ViewCodeSequence = [item]
    return dataset


@pytest.mark.parametrize(
    ("code", "view"),
    [("399348003", "AP"), ("R-10206", "AP"), ("399173006", "LL"), ("1", "")],
)
def test_view_from_its_code(code, view):
    assert read_view(coded(code)) == view


def test_view_position_goes_first():
    dataset = coded("399173006")
    dataset.add_new("ViewPosition", "LO", " pa ")
    assert read_view(dataset) == "PA"
    assert read_view(Dataset()) == ""


def test_no_name_passes_as_a_view():
    dataset = Dataset()
    dataset.add_new("ViewPosition", "LO", "Doe^Jane")
    assert read_view(dataset) == ""


@pytest.mark.parametrize("view", ["LL", "RL", "LATERAL", "LPO"])
def test_other_views_are_doubtful(dataset, write, view):
    dataset.ViewPosition = view
    assert f"no frontal view ({view})" in read_xray(write(dataset)).doubts


@pytest.mark.parametrize("view", ["", "PA", "AP"])
def test_frontal_views_are_not(dataset, write, view):
    dataset.ViewPosition = view
    assert read_xray(write(dataset)).doubts == ()


@pytest.mark.parametrize("directions", [["P", "F"], ["A", "F"], ["F", "A"]])
def test_rows_to_the_front_make_a_lateral_view(dataset, write, directions):
    """A view that the file states goes first."""
    dataset.PatientOrientation = directions
    assert "no frontal view (LATERAL)" in read_xray(write(dataset)).doubts
    dataset.ViewPosition = "PA"
    assert not any("view" in doubt for doubt in read_xray(write(dataset)).doubts)
