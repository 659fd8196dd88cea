"""Cards, alarms and tables from a summary, and from one with holes."""

from report_cases import block, summary

from lungcli.report.overview import Cell, alarms, cards, size_of, tables


def test_cards_say_number_unit_and_interval():
    shown = {card.label: card for card in cards(summary())}
    assert shown["Dice, mean"].value == Cell("0.950", "95 % CI 0.900–0.980")
    assert shown["Worst case"].value == Cell("0.500", "s/a", case="s/a")
    assert shown["Failure rate"].value == Cell("50.0 %", "1 case below Dice 0.90")
    assert shown["Failure rate"].alarming
    assert shown["HD95, mean"].value.text == "2.50 mm"


def test_no_failure_is_no_alarm():
    card = cards(summary(failures=[], failure_rate=0.0))[2]
    assert (card.value.text, card.alarming) == ("0.0 %", False)


def test_a_summary_without_anything():
    assert {card.value.text for card in cards({})} == {"–"}
    assert alarms({}) == []
    assert tables({})[0].rows == ()
    assert size_of({}) == "0 cases"


def test_size():
    counted = {"cases": 1200, "patients": 1, "sources": {"a": {}, "b": {}}}
    assert size_of(counted) == "1,200 cases · 1 patient · 2 sources"


def test_alarms_link_to_the_case():
    listed = summary(
        swapped=["s/odd: name"],
        missed=["s/odd: name: left", "s/b: right"],
        undefined_cases=["s/c: lungs", "s/c: left"],
    )
    swapped, missed, undefined = alarms(listed)
    assert swapped.cases == (Cell("s/odd: name", case="s/odd: name"),)
    assert missed.cases[0] == Cell("s/odd: name: left", case="s/odd: name")
    assert (missed.num_cases, undefined.num_cases) == (2, 1)


def test_one_source_needs_no_total():
    by_source = tables(summary())[0]
    assert [name for name, _ in by_source.rows] == ["s"]
    assert all(len(cells) + 1 == len(by_source.head) for _, cells in by_source.rows)


def test_several_sources():
    parts = {name: summary() for name in ("s", "t")}
    means = {"dice": {"mean": 0.9, "ci95": None}, "hd95": {"mean": 3.0, "unit": "%"}}
    by_source = tables(summary(sources=parts, mean_over_sources=means))[0]
    names = [name for name, _ in by_source.rows]
    assert names == ["s", "t", "All cases", "Mean over sources"]
    assert all(len(cells) + 1 == len(by_source.head) for _, cells in by_source.rows)
    last = dict(zip(by_source.head[1:], by_source.rows[-1][1], strict=True))
    assert (last["Dice"].text, last["HD95"].text) == ("0.900", "3.00 %")


def test_by_lung():
    table = tables(summary(area_difference=block(-0.012)))[1]
    both = dict(zip(table.head[1:], table.rows[0][1], strict=True))
    assert both["Area"].text == "−1.2 %"
    assert [cells[0].text for _, cells in table.rows] == ["0.950", "0.970", "0.930"]


def test_subgroups():
    groups = {
        "finding": {"normal": {"cases": 2, "dice": block()}},
        "sex": {},
        "age": None,
    }
    table = tables(summary(subgroups=groups))[2:]
    assert [one.caption for one in table] == ["By finding"]
    assert table[0].rows[0][1][:2] == (Cell("2"), Cell("0.950", "0.900–0.980"))
