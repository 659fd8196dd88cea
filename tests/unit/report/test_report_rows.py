"""The rows of the table: order, units, flags, links."""

import pytest
from report_cases import NAN, case, pictures, scores

from lungcli.report.rows import columns_of, rows_of, score_labels

COLUMNS = columns_of({"hd95": {"unit": "mm"}})


def test_worst_first_and_undefined_last():
    cases = [
        case(name, scores=scores(dice))
        for name, dice in (("a", 0.9), ("b", NAN), ("c", 0.0), ("d", 0.5))
    ]
    rows = rows_of(cases, COLUMNS, 0.9)
    assert [row.name for row in rows] == ["s/c", "s/d", "s/a", "s/b"]
    assert [row.picture for row in rows] == [2, 3, 0, 1]
    assert [row.failed for row in rows] == [True, True, False, False]


@pytest.mark.parametrize(
    ("unit", "score"), [("mm", "hd95_mm"), ("px", "hd95_px"), ("%", "hd95_percent")]
)
def test_distances_are_in_the_unit_of_all_cases(unit, score):
    column = columns_of({"hd95": {"unit": unit}})[6]
    assert (column.label, column.score, column.worst) == (
        f"HD95, {unit}",
        score,
        "high",
    )


def test_without_a_common_unit_in_percent():
    assert columns_of({})[6].label == columns_of({"hd95": None})[6].label == "HD95, %"


def test_cells_follow_the_columns():
    row = rows_of([case("a", patient_id="P7")], COLUMNS, 0.9)[0]
    assert row.cells == ("a", "s", "P7", 0.95, 0.95, 0.95, 2.5, 2.5, 0.95)
    assert len(COLUMNS) == len(row.cells)


def test_details_are_in_mm_where_a_pixel_has_a_size():
    known = rows_of([case()], COLUMNS, 0.9)[0].details["right"]
    without = scores() | {"left": {**scores()["left"], "hd95_mm": NAN}}
    unknown = rows_of([case(scores=without)], COLUMNS, 0.9)[0].details["left"]
    place = score_labels().index("HD95")
    assert (known[place], unknown[place]) == ("2.50 mm", "2.50 px")
    assert len(known) == len(score_labels())


def test_a_structure_that_is_not_there():
    row = rows_of([case(scores={"lungs": {"dice": 0.8}})], COLUMNS, 0.9)[0]
    assert row.cells[3:6] == (0.8, None, None)
    assert set(row.details["left"]) == {"–"}


def test_failure_is_a_flag():
    cases = [case(scores=scores(0.84), flags=("sides swapped",))]
    assert rows_of(cases, COLUMNS, 0.85)[0].flags == (
        "Dice below 0.85",
        "sides swapped",
    )


def test_links_are_unique():
    rows = rows_of([case("a"), case("a", pictures=pictures())], COLUMNS, 0.9)
    assert [row.link for row in rows] == ["s/a", "s/a (2)"]
    assert {row.name for row in rows} == {"s/a"}


def test_search_finds_names_patients_flags_and_facts():
    one = case("ABC", source="Clinic", facts={"Finding": "Nodule"}, flags=("Swapped",))
    text = rows_of([one], COLUMNS, 0.9)[0].search
    assert all(word in text for word in ("abc", "clinic", "p1", "nodule", "swapped"))
