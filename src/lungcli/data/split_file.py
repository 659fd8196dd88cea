"""Splits that somebody listed: a CSV file, or the built-in `gaal2020`."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from lungcli.data.case import CaseKey
from lungcli.data.tables import Row, meant_stem, parse_table, read_table
from lungcli.errors import DatasetError

BUILT_IN: Final = ("gaal2020",)
"""Names that `read_split_list` knows besides files."""

_COLUMNS: Final = ("case_id", "split")
_NAMES: Final = {"train": "train", "val": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class SplitList:
    """What a split file says.

    Attributes:
        name: File name, or built-in name.
        splits: Split of each listed `(source, case_id)`; the source is `""` where
            the file has no such column.
        spans_archives: The list covers archives that the user need not have.
    """

    name: str
    splits: dict[CaseKey, str]
    spans_archives: bool = False


@dataclass(frozen=True, slots=True)
class ListedSplits:
    """A split list applied to the cases that there are.

    Attributes:
        splits: Split of each listed case.
        not_listed: Cases that the list leaves out.
        not_found: Listed `(source, case_id)` that are not there; of a list that
            spans archives only those of archives that are.
    """

    splits: dict[CaseKey, str]
    not_listed: tuple[CaseKey, ...]
    not_found: tuple[CaseKey, ...]


def read_split_list(name: str) -> SplitList:
    """Read a split file, or a built-in list by its name.

    The file is a CSV with the columns `case_id` and `split` (train, val or
    validation, test), and perhaps `source`. Comma, semicolon or tab may separate.

    `gaal2020` is the split of Montgomery 96/14/28, JSRT 172/25/50 and Shenzhen
    396/56/114 cases that published comparisons across these data sets use.

    Args:
        name: `"gaal2020"`, or the path of a file.

    Raises:
        DatasetError: If the file is missing or holds something else; the message
            names the line.

    References:
        Gaál, Maga and Lukács (2020), Attention U-Net Based Adversarial Architectures
        for Chest X-ray Lung Segmentation, https://arxiv.org/abs/2003.10304
    """
    if name in BUILT_IN:
        table = resources.files("lungcli.data").joinpath(f"{name}.csv")
        rows = parse_table(table.read_text(encoding="utf-8"), name, _COLUMNS)
        return SplitList(name, _splits(rows), spans_archives=True)
    try:
        rows = read_table(Path(name), _COLUMNS)
    except DatasetError as error:
        msg = f"{error} The list {', '.join(BUILT_IN)} is built in."
        raise DatasetError(msg) from error
    return SplitList(Path(name).name, _splits(rows))


def apply_split_list(listed: SplitList, keys: Sequence[CaseKey]) -> ListedSplits:
    """Match a list with the cases that there are, by case_id.

    The listed source only tells equal names apart: a case whose source has another
    name than the list uses is still found, if its case_id is listed once. The list
    may name images by their whole file name.

    Args:
        listed: From `read_split_list`.
        keys: `(source, case_id)` of the cases.
    """
    present: dict[str, set[str]] = {}
    for source, case_id in keys:
        present.setdefault(case_id, set()).add(source)
    wanted = {
        (source, meant_stem(case_id, present)): split
        for (source, case_id), split in listed.splits.items()
    }
    rows: dict[str, list[str]] = {}  # the listed sources of each case_id
    for source, case_id in wanted:
        rows.setdefault(case_id, []).append(source)

    splits: dict[CaseKey, str] = {}
    matched: set[CaseKey] = set()
    for source, case_id in keys:
        named = rows.get(case_id, [])
        unclaimed = [name for name in named if name not in present[case_id]]
        candidates = [source] if source in named else unclaimed
        if len(candidates) == 1:
            row = (candidates[0], case_id)
            splits[source, case_id] = wanted[row]
            matched.add(row)
    missing = [row for row in wanted if row not in matched]
    if listed.spans_archives:
        there = {source for source, _ in (*matched, *keys)}
        missing = [row for row in missing if row[0] in there]
    return ListedSplits(
        splits=splits,
        not_listed=tuple(key for key in keys if key not in splits),
        not_found=tuple(missing),
    )


def _splits(rows: Sequence[Row]) -> dict[CaseKey, str]:
    splits: dict[CaseKey, str] = {}
    for row in rows:
        key = (row.cells.get("source", "").lower(), row.cells["case_id"])
        split = _split_name(row)
        if splits.setdefault(key, split) != split:
            msg = (
                f"{row.where}: case {key[1]} is in '{splits[key]}' and in '{split}'. "
                "Keep one of the two lines."
            )
            raise DatasetError(msg)
    return splits


def _split_name(row: Row) -> str:
    case_id, name = row.cells["case_id"], row.cells["split"]
    if not case_id:
        msg = f"{row.where}: the case_id is empty."
        raise DatasetError(msg)
    if name.lower() not in _NAMES:
        msg = (
            f"{row.where}: case {case_id} has the split '{name}'. "
            "Use train, val (or validation) or test."
        )
        raise DatasetError(msg)
    return _NAMES[name.lower()]
