import pytest

from lungcli.data.prepared_case import parse_case, whole_number

NUMBERS = {
    "original_height": "130",
    "original_width": "160",
    "side": "96",
    "top": "9",
    "left": "0",
    "content_height": "78",
    "content_width": "96",
    "window_low": "0",
    "window_high": "255",
    "spacing_row_mm": "0.1",
    "spacing_column_mm": "0.2",
}
TEXTS = {
    "case_id": "'=1",
    "patient_id": "7",
    "source": "a",
    "split": "test",
    "image": "images/1.png",
    "mask": "masks/1.png",
    "reference": "references/1.png",
    "sides": "given",
    "finding": "",
    "sex": "F",
    "age": "33",
    "view": "PA",
    "notes": "",
}
ROW = NUMBERS | TEXTS


def test_cells_get_their_types():
    case = parse_case(ROW)
    assert case.case_id == "=1"  # written so that no spreadsheet runs it
    assert case.spacing_mm == (0.1, 0.2)
    assert case.geometry.content_height == 78
    assert parse_case(ROW | {"spacing_row_mm": ""}).spacing_mm is None


@pytest.mark.parametrize(
    "path", ["/a.png", "../a.png", "images/../../a.png", "a\0.png", "a\n.png"]
)
@pytest.mark.parametrize("name", ["image", "mask", "reference"])
def test_no_path_leads_out(name, path):
    with pytest.raises(ValueError, match="leads out of the data set"):
        parse_case(ROW | {name: path})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["x", "nan", "inf", "-1e999", "9" * 5000])
def test_no_number_that_is_none(name, value):
    with pytest.raises(ValueError, match=r"."):
        parse_case(ROW | {name: value})


@pytest.mark.parametrize("name", ROW)
def test_a_missing_cell_is_named(name):
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        parse_case(ROW | {name: None})


@pytest.mark.parametrize("name", ["top", "left"])
def test_the_image_lies_in_its_square(name):
    with pytest.raises(ValueError, match="does not fit into its square"):
        parse_case(ROW | {name: "19"})


def test_whole_numbers():
    assert whole_number("7", "side", 1) == 7
    with pytest.raises(ValueError, match="side is 0"):
        whole_number(0, "side", 1)
