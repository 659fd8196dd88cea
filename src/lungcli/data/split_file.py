"""Splits that somebody listed: a CSV file, or the built-in `gaal2020`."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from lungcli.data.splits import CaseKey
from lungcli.errors import DatasetError

BUILT_IN: Final = ("gaal2020",)
"""Names that `read_split_list` knows besides files."""

_NAMES: Final = {"train": "train", "val": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class SplitList:
    """What a split file says.

    Attributes:
        name: File name, or built-in name.
        splits: Split of each listed `(source, case_id)`; the source is `""` where
            the file has no such column.
    """

    name: str
    splits: dict[CaseKey, str]


@dataclass(frozen=True, slots=True)
class ListedSplits:
    """A split list applied to the cases that there are.

    Attributes:
        splits: Split of each listed case.
        not_listed: Cases that the list leaves out.
        not_found: Listed `(source, case_id)` that are not there. A listed source of
            which nothing is there was not meant, and is not counted.
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
        return SplitList(name, _parse(table.read_text(encoding="utf-8"), name))
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        msg = (
            f"cannot read the split file {path} ({reason}). Give a CSV file with the "
            f"columns case_id and split, or the name {', '.join(BUILT_IN)}."
        )
        raise DatasetError(msg) from error
    return SplitList(path.name, _parse(text, str(path)))


def apply_split_list(listed: SplitList, keys: Iterable[CaseKey]) -> ListedSplits:
    """Match a list with the cases that there are, by case_id.

    The listed source only tells equal names apart: a case whose source has another
    name than the list uses is still found, if its case_id is listed once.

    Args:
        listed: From `read_split_list`.
        keys: `(source, case_id)` of the cases.
    """
    keys = tuple(keys)
    rows: dict[str, list[str]] = {}  # the listed sources of each case_id
    for source, case_id in listed.splits:
        rows.setdefault(case_id, []).append(source)
    present: dict[str, set[str]] = {}
    for source, case_id in keys:
        present.setdefault(case_id, set()).add(source)

    splits: dict[CaseKey, str] = {}
    matched: set[CaseKey] = set()
    for source, case_id in keys:
        named = rows.get(case_id, [])
        unclaimed = [name for name in named if name not in present[case_id]]
        candidates = [source] if source in named else unclaimed
        if len(candidates) == 1:
            row = (candidates[0], case_id)
            splits[source, case_id] = listed.splits[row]
            matched.add(row)
    meant = {source for source, _ in matched} | {source for source, _ in keys} | {""}
    missing = (row for row in listed.splits if row[0] in meant and row not in matched)
    return ListedSplits(
        splits=splits,
        not_listed=tuple(key for key in keys if key not in splits),
        not_found=tuple(missing),
    )


def _parse(text: str, name: str) -> dict[CaseKey, str]:
    header, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [column.strip().lower() for column in next(reader, [])]
    if not {"case_id", "split"} <= set(columns):
        msg = (
            f"{name}, line 1: the columns case_id and split are needed, there are "
            f"{', '.join(columns) or 'none'}."
        )
        raise DatasetError(msg)
    splits: dict[CaseKey, str] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        key = (row.get("source", "").lower(), row.get("case_id", ""))
        split = _split_name(row, f"{name}, line {reader.line_num}")
        if splits.setdefault(key, split) != split:
            msg = (
                f"{name}, line {reader.line_num}: case {key[1]} is in "
                f"'{splits[key]}' and in '{split}'. Keep one of the two lines."
            )
            raise DatasetError(msg)
    return splits


def _split_name(row: dict[str, str], where: str) -> str:
    if not row.get("case_id"):
        msg = f"{where}: the case_id is empty."
        raise DatasetError(msg)
    name = row.get("split", "")
    if name.lower() not in _NAMES:
        msg = (
            f"{where}: case {row['case_id']} has the split '{name}'. "
            "Use train, val (or validation) or test."
        )
        raise DatasetError(msg)
    return _NAMES[name.lower()]
