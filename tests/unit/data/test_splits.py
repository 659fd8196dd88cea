import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.data.split_file import apply_split_list, read_split_list
from lungcli.data.splits import divided, patient_groups, split_by_group
from lungcli.errors import ConfigError, DatasetError


def keys(source, count):
    return {(source, f"{source}{i}"): f"{source}/p{i}" for i in range(count)}


def draw(groups, val=0.15, test=0.15, seed=0):
    return split_by_group(groups, val=val, test=test, seed=seed)


@given(
    patients=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    seed=st.integers(0, 5),
)
def test_no_group_is_ever_divided(patients, seed):
    groups = {("a", str(i)): f"a/{patient}" for i, patient in enumerate(patients)}
    splits = draw(groups, 0.3, 0.3, seed)
    assert divided(groups, splits) == {}
    assert splits.keys() == groups.keys()


def test_fractions_hold_in_every_source():
    splits = draw(keys("a", 100) | keys("b", 20), val=0.1, test=0.25)
    counts = collections.Counter((source, s) for (source, _), s in splits.items())
    assert counts == {
        ("a", "train"): 65,
        ("a", "val"): 10,
        ("a", "test"): 25,
        ("b", "train"): 13,
        ("b", "val"): 2,
        ("b", "test"): 5,
    }


def test_order_of_files_does_not_matter_and_seed_does():
    groups = keys("a", 50)
    backwards = dict(reversed(groups.items()))
    assert draw(backwards) == draw(groups)
    assert draw(groups, seed=1) != draw(groups, seed=2)


def test_split_is_the_same_for_ever():
    splits = draw(keys("a", 8), 0.25, 0.25)
    assert [splits["a", f"a{i}"] for i in range(8)] == [
        "test",
        "train",
        "test",
        "val",
        "train",
        "val",
        "train",
        "train",
    ]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(1, {"train": 1}, id="one trains"),
        pytest.param(2, {"train": 2}, id="two train"),
        pytest.param(3, {"train": 1, "val": 1, "test": 1}, id="three: one each"),
    ],
)
def test_few_patients(count, expected):
    assert collections.Counter(draw(keys("a", count)).values()) == expected


def test_fraction_zero_is_empty():
    assert set(draw(keys("a", 9), val=0.0, test=0.0).values()) == {"train"}


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0), (0.5, 0.5), (float("nan"), 0)])
def test_impossible_fractions(val, test):
    with pytest.raises(ConfigError, match="sum must be less than 1"):
        draw(keys("a", 3), val, test)


def test_copies_join_patients_across_sources_and_chains():
    patients = {("a", "1"): "p", ("a", "2"): "q", ("b", "1"): "p", ("b", "2"): "r"}
    pairs = [(("a", "2"), ("b", "1")), (("b", "1"), ("a", "1"))]
    assert patient_groups(patients, pairs) == {
        ("a", "1"): "a/p",
        ("a", "2"): "a/p",
        ("b", "1"): "a/p",
        ("b", "2"): "b/r",
    }


def test_divided_names_the_splits_in_order():
    members = {("a", "1"): "p", ("a", "2"): "p", ("a", "3"): "q"}
    splits = {("a", "1"): "test", ("a", "2"): "train", ("a", "3"): "val"}
    assert divided(members, splits) == {"p": ("train", "test")}


def listed(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "splits.csv"
    path.write_bytes(text.encode(encoding))
    return read_split_list(str(path))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param("case_id,split\nx,train\ny,test\n", "utf-8", id="plain"),
        pytest.param("case_id,split\nx,train\ny,test\n", "utf-8-sig", id="BOM"),
        pytest.param("case_id;split\r\nx;train\r\ny;test\r\n", "utf-8", id="Excel"),
        pytest.param("split\tid\tcase_id\ntrain\t1\tx\ntest\t2\ty", "utf-8", id="tabs"),
        pytest.param(
            "Case_ID , Split\n x , Train \n\ny,TEST\n", "utf-8", id="spaces, case"
        ),
    ],
)
def test_split_file_dialects(tmp_path, text, encoding):
    splits = listed(tmp_path, text, encoding).splits
    assert splits == {("", "x"): "train", ("", "y"): "test"}


def test_validation_is_val(tmp_path):
    assert listed(tmp_path, "case_id,split\nx,validation").splits == {("", "x"): "val"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "line 1: the columns case_id and split", id="empty"),
        pytest.param("a,b\n", "there are: a, b", id="columns"),
        pytest.param(f"case_id,split\n{'x' * 2**18},test", "no table", id="cell"),
        pytest.param(
            "case_id,split\nx,train\ny,holdout\n",
            r"splits\.csv, line 3: case y has the split 'holdout'",
            id="name",
        ),
        pytest.param("case_id,split\nx\n", "line 2: case x has the split ''", id="cut"),
        pytest.param("case_id,split\n,train\n", "line 2: the case_id is", id="no id"),
        pytest.param(
            "case_id,split\nx,train\nx,test\n",
            "line 3: case x is in 'train' and in 'test'",
            id="twice",
        ),
    ],
)
def test_split_file_errors_name_file_and_line(tmp_path, text, message):
    with pytest.raises(DatasetError, match=message):
        listed(tmp_path, text)


def test_missing_and_binary_split_files(tmp_path):
    with pytest.raises(
        DatasetError,
        match=r"absent\.csv \(No such file.*columns case_id and split.*gaal2020",
    ):
        read_split_list(str(tmp_path / "absent.csv"))
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DatasetError, match="is no text"):
        read_split_list(str(path))


def test_gaal2020_has_the_published_counts():
    counts = collections.Counter(
        (source, split)
        for (source, _), split in read_split_list("gaal2020").splits.items()
    )
    assert counts == {
        ("montgomery", "train"): 96,
        ("montgomery", "val"): 14,
        ("montgomery", "test"): 28,
        ("jsrt", "train"): 172,
        ("jsrt", "val"): 25,
        ("jsrt", "test"): 50,
        ("shenzhen", "train"): 396,
        ("shenzhen", "val"): 56,
        ("shenzhen", "test"): 114,
    }


def test_source_column_only_tells_equal_names_apart(tmp_path):
    both = listed(tmp_path, "source,case_id,split\nA,x,train\nb,x,test\nb,y,val\n")
    applied = apply_split_list(both, [("a", "x"), ("b", "x"), ("mine", "y")])
    assert applied.splits == {
        ("a", "x"): "train",
        ("b", "x"): "test",
        ("mine", "y"): "val",
    }
    assert applied.not_listed == ()
    assert applied.not_found == ()


def test_ambiguous_names_are_not_guessed(tmp_path):
    both = listed(tmp_path, "source,case_id,split\na,x,train\nb,x,test\n")
    applied = apply_split_list(both, [("mine", "x")])
    assert applied.splits == {}
    assert applied.not_listed == (("mine", "x"),)


def test_one_row_serves_the_source_it_names(tmp_path):
    one = listed(tmp_path, "source,case_id,split\na,x,train\n")
    applied = apply_split_list(one, [("a", "x"), ("b", "x")])
    assert applied.splits == {("a", "x"): "train"}
    assert applied.not_listed == (("b", "x"),)


def test_absent_cases_are_counted_absent_sources_are_not():
    gaal = read_split_list("gaal2020")
    applied = apply_split_list(gaal, [("montgomery", "MCUCXR_0001_0")])
    assert applied.splits == {("montgomery", "MCUCXR_0001_0"): "train"}
    assert len(applied.not_found) == 137
    assert {source for source, _ in applied.not_found} == {"montgomery"}


def test_absent_sources_of_a_users_list_are_counted(tmp_path):
    mine = listed(tmp_path, "source,case_id,split\na,x,train\ntypo,y,test\n")
    applied = apply_split_list(mine, [("a", "x")])
    assert applied.not_found == (("typo", "y"),)


def test_whole_file_names_are_understood(tmp_path):
    mine = listed(tmp_path, "case_id,split\nx.png,train\ny.jpg,test\nz.png,val\n")
    applied = apply_split_list(mine, [("a", "x"), ("a", "y.jpg")])
    assert applied.splits == {("a", "x"): "train", ("a", "y.jpg"): "test"}
    assert applied.not_found == (("", "z"),)
