"""Cases apart by finding, sex, age and view."""

import pytest

from lungcli.metrics.scores import CaseFacts, CaseScores
from lungcli.metrics.subgroups import age_band, split_by_group


def case(name, **groups):
    facts = CaseFacts(
        source="s",
        case_id=name,
        patient_id=name,
        height=1,
        width=1,
        spacing_mm=None,
        groups=groups,
    )
    return CaseScores(facts=facts, scores={})


def names(groups):
    return {
        value: [member.case_id for member in cases] for value, cases in groups.items()
    }


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("0", "0-17"),
        ("17", "0-17"),
        ("17.9", "0-17"),
        ("18", "18-39"),
        ("40", "40-59"),
        (" 59 ", "40-59"),
        ("60", "60+"),
        ("101", "60+"),
        ("045Y", "40-59"),
        ("018M", "0-17"),
        ("300m", "18-39"),
        ("006W", "0-17"),
        ("003D", "0-17"),
        ("", "unknown"),
        ("adult", "unknown"),
        ("-1", "unknown"),
        ("nan", "unknown"),
    ],
)
def test_age_bands(age, band):
    assert age_band(age) == band


def test_values_in_order_and_unknown_last():
    cases = [case("a", sex="M"), case("b", sex=""), case("c", sex="F"), case("d")]
    assert names(split_by_group(cases)["sex"]) == {
        "F": ["c"],
        "M": ["a"],
        "unknown": ["b", "d"],
    }
    assert list(split_by_group(cases)["sex"]) == ["F", "M", "unknown"]


def test_columns_of_which_nothing_is_known_are_left_out():
    cases = [case("a", sex="", age="old", view="AP", finding=" ")]
    assert names(split_by_group(cases).get("view")) == {"AP": ["a"]}
    assert list(split_by_group(cases)) == ["view"]
