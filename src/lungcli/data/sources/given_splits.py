"""Sources that come split: `train/`, `val/` and `test/`, each with images and masks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from lungcli.data.case import Case, SourceListing
from lungcli.data.sources.own import name_of

_NAMES: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def split_of(folder: Path) -> str:
    """Return the split that a folder is called as; empty if it is none."""
    return _NAMES.get(folder.name.lower(), "")


def joined_splits(
    found: Sequence[SourceListing],
) -> tuple[SourceListing, ...]:
    """Return sources, those beside each other that are called as splits being one.

    Its cases know their split. One name in two splits is taken for one patient.
    """
    by_parent: dict[Path, list[SourceListing]] = {}
    for each in found:
        if split_of(each.root):
            by_parent.setdefault(each.root.parent, []).append(each)
    joined = {
        parent: _join(parent, parts)
        for parent, parts in by_parent.items()
        if len({split_of(part.root) for part in parts}) > 1
    }
    others, seen = [], set[Path]()
    for each in found:
        parent = each.root.parent
        if parent not in joined or not split_of(each.root):
            others.append(each)
        elif parent not in seen:
            seen.add(parent)
            others.append(joined[parent])
    return tuple(others)


def _join(parent: Path, parts: Sequence[SourceListing]) -> SourceListing:
    name = name_of(parent) or parts[0].name
    counts = Counter(case.case_id for part in parts for case in part.cases)
    cases = [
        _of_split(case, name, split_of(part.root), counts[case.case_id] > 1)
        for part in parts
        for case in part.cases
    ]
    findings = (replace(f, source=name) for part in parts for f in part.findings)
    told = ", ".join(part.root.name for part in parts)
    return replace(
        parts[0],
        name=name,
        root=parent,
        cases=tuple(sorted(cases, key=lambda case: case.case_id)),
        findings=tuple(findings),
        notes=(
            *(note for part in parts for note in part.notes),
            f"split as its folders are ({told}); --resplit draws anew.",
        ),
    )


def _of_split(case: Case, source: str, split: str, is_shared: bool) -> Case:
    case_id = f"{split}/{case.case_id}" if is_shared else case.case_id
    return replace(case, case_id=case_id, source=source, split=split)
