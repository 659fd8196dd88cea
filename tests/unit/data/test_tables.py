import pytest

from lungcli.data.tables import meant_stem, read_table
from lungcli.errors import DatasetError


def rows(tmp_path, text, encoding="utf-8", required=("id",)):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    return [(row.where, row.cells) for row in read_table(path, required)]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,age\ncafé,4\n", "utf-8"),
        ("id;age\r\ncafé;4\r\n", "utf-8-sig"),
        ("ID\t Age\n\ncafé\t4 ", "latin-1"),
        ("id,age\ncafe\u0301,4\n", "utf-8"),
    ],
)
def test_dialects(tmp_path, text, encoding):
    ((_, cells),) = rows(tmp_path, text, encoding)
    assert cells == {"id": "café", "age": "4"}


def test_lines_are_those_of_the_file(tmp_path):
    table = rows(tmp_path, 'id,note\n\na,"two\nlines"\n,,\nb\n')
    assert [where.rpartition(" ")[2] for where, _ in table] == ["4", "6"]


def test_short_rows_have_empty_required_cells(tmp_path):
    ((_, cells),) = rows(tmp_path, "x,id\n1\n")
    assert cells == {"x": "1", "id": ""}


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        pytest.param(
            "id\n" + "x" * 200_000,
            "utf-8",
            r"t\.csv, line 2: no table \(field larger .*Save it as CSV",
            id="cell",
        ),
        pytest.param("id,age\na,4\n", "utf-16", r"t\.csv is no text", id="UTF-16"),
        pytest.param("", "utf-8", "line 1: the column id is needed.*none", id="empty"),
        pytest.param("a,b\n", "utf-8", "there are: a, b", id="columns"),
    ],
)
def test_no_table(tmp_path, text, encoding, message):
    with pytest.raises(DatasetError, match=message):
        rows(tmp_path, text, encoding)


def test_missing_file(tmp_path):
    with pytest.raises(DatasetError, match=r"t\.csv \(No such.*columns a and b\."):
        read_table(tmp_path / "t.csv", ("a", "b"))


def test_a_stem_with_a_suffix_in_it_stays():
    assert meant_stem("a.jpg", {"a.jpg"}) == "a.jpg"
    assert meant_stem("a.IMG", {"a"}) == "a"
    assert meant_stem("1.2.840", {"1.2.840"}) == "1.2.840"
