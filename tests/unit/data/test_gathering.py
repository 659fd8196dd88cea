from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lungcli.data.case import Case, Convention, SourceListing
from lungcli.data.gathering import common_convention, gather
from lungcli.data.replacing import check_apart, check_replaceable
from lungcli.data.storing import file_stems
from lungcli.errors import DatasetError

EXCLUDED, INCLUDED, UNKNOWN = Convention


def make_source(root, *names):
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
        for name in names:
            gray = Image.fromarray(np.zeros((40, 40), np.uint8))
            gray.save(root / folder / f"{name}.png")
    return root


def listing(name, convention):
    return SourceListing(name=name, root=Path(name), convention=convention, cases=())


def test_the_same_folder_twice_counts_once(tmp_path):
    root = make_source(tmp_path / "a", "1", "2")
    listings = gather([root, tmp_path, root.parent / "a"])
    assert [(each.name, len(each.cases)) for each in listings] == [("a", 2)]


def test_equal_names_are_numbered_in_cases_and_findings(tmp_path):
    first = make_source(tmp_path / "x" / "set", "1")
    second = make_source(tmp_path / "y" / "set", "1")
    (second / "masks" / "1.png").unlink()
    listings = gather([first, second])
    assert [each.name for each in listings] == ["set", "set-2"]
    assert [each.cases[0].source for each in listings] == ["set", "set-2"]
    assert [finding.source for finding in listings[1].findings] == ["set-2"]


@pytest.mark.parametrize(
    ("conventions", "chosen", "expected"),
    [
        ([EXCLUDED, EXCLUDED], None, EXCLUDED),
        ([EXCLUDED, UNKNOWN], None, UNKNOWN),
        ([UNKNOWN], None, UNKNOWN),
        ([EXCLUDED, INCLUDED], INCLUDED, INCLUDED),
        ([UNKNOWN], EXCLUDED, EXCLUDED),
    ],
)
def test_common_convention(conventions, chosen, expected):
    listings = [listing(str(i), each) for i, each in enumerate(conventions)]
    assert common_convention(listings, chosen) is expected


def test_known_conventions_are_not_mixed_silently():
    listings = [listing("a", EXCLUDED), listing("b", INCLUDED)]
    message = "a heart-excluded, b heart-included.*--convention"
    with pytest.raises(DatasetError, match=message):
        common_convention(listings)


def test_file_stems_are_safe_and_unique():
    case = Case(case_id="", patient_id="", source="s", image_path=Path())
    names = ["a b", "a?b", "A B", "../../etc", "日本", "", "x" * 300]
    stems = file_stems([replace(case, case_id=name) for name in names])
    assert stems[:6] == ["a_b", "a_b-2", "A_B-3", "_.._etc", "日本", "_"]
    assert len(stems[6]) == 110


def test_file_stems_fit_any_file_system():
    case = Case(case_id="肺" * 300, patient_id="", source="源" * 100, image_path=Path())
    for stem in file_stems([case, replace(case, source="b" * 200), case]):
        assert len(f".part-{stem}.png".encode()) <= 255


def test_what_may_be_replaced(tmp_path, monkeypatch):
    old, other = tmp_path / "old", tmp_path / "other"
    check_replaceable(tmp_path / "new", force=False)
    old.mkdir()
    check_replaceable(old, force=False)  # empty
    (old / "dataset.json").write_text('{"format_version": 0, "fingerprint": ""}')
    check_replaceable(old, force=True)
    with pytest.raises(DatasetError, match=r"old holds a prepared.*--force.*--out"):
        check_replaceable(old, force=False)
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(DatasetError, match=r"other files .* is not replaced.*--out"):
        check_replaceable(other, force=True)
    with pytest.raises(DatasetError, match="is a file"):
        check_replaceable(other / "thesis.tex", force=True)
    (other / "dataset.json").write_text('{"labels": {"lung": 1}}')  # nnU-Net's
    with pytest.raises(DatasetError, match=r"other files .* is not replaced.*--out"):
        check_replaceable(other, force=True)
    monkeypatch.chdir(old)
    with pytest.raises(DatasetError, match="holds the current folder"):
        check_replaceable(Path(), force=True)


def test_out_that_cannot_be_looked_at(tmp_path, monkeypatch):
    with pytest.raises(DatasetError, match=r"File name too long\. .*--out"):
        check_replaceable(tmp_path / ("x" * 300), force=True)

    def refuse(path, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(DatasetError, match=r"p cannot be used: Permission denied\. "):
        check_replaceable(tmp_path / "p", force=True)


def test_sources_are_never_written_over(tmp_path):
    check_apart(tmp_path / "source" / "prepared", [tmp_path / "source"])
    with pytest.raises(DatasetError, match="lies in"):
        check_apart(tmp_path, [tmp_path / "source"])
