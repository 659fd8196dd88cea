"""Which of the prepared cases to draw: by name, by lot, or the worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.model.find import Announce, quiet
from lungcli.workflows.shared.datasets import DatasetCase, full_name, select

NO_MASK: Final = "no-mask"  # the cases that nobody has drawn on


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which of the cases to take; by default all, in the order of the data set.

    Attributes:
        cases: Only those of these names, `case` or `source/case`; empty takes all.
        worst: Only so many, those with the lowest Dice, lowest first; 0 takes all.
        random: Only so many, drawn by lot; 0 takes all.
        seed: Of the lot.
    """

    cases: tuple[str, ...] = ()
    worst: int = 0
    random: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Reject what contradicts itself."""
        if self.worst and self.random:
            msg = "--worst and --random choose cases in two ways: take one of them."
            raise ConfigError(msg)


def find_cases(
    datasets: Sequence[PreparedDataset],
    split: str,
    sample: Sample,
    *,
    announce: Announce = quiet,
) -> list[DatasetCase]:
    """Return the cases of a split that may be drawn; the worst are chosen later.

    Args:
        datasets: Prepared data sets.
        split: One of the splits, `all`, or `NO_MASK`.
        sample: Which of its cases.
        announce: Told of data sets that have none.

    Raises:
        ConfigError: If the worst are wanted of cases without masks.
        DatasetError: If there is none, or none of a name that was asked for.
    """
    chosen = _of_split(datasets, split, announce)
    if sample.cases:
        names = [{case.case_id, full_name(case)} for _, case in chosen]
        missing = sorted(set(sample.cases).difference(*names))
        if missing:
            remedy = "" if split == "all" else ", or take another --split"
            msg = (
                f"no case {', '.join(missing)} in split '{split}'. Take names from "
                f"cases.csv in the prepared data set{remedy}."
            )
            raise DatasetError(msg)
        chosen = [
            owned
            for owned, called in zip(chosen, names, strict=True)
            if called & set(sample.cases)
        ]
    if sample.worst and not any(case.has_mask for _, case in chosen):
        msg = "these cases have no masks, so none is the worst. Leave out --worst."
        raise ConfigError(msg)
    if 0 < sample.random < len(chosen):
        lot = np.random.default_rng(sample.seed)
        drawn = lot.choice(len(chosen), sample.random, replace=False).tolist()
        chosen = [chosen[index] for index in sorted(drawn)]
    return chosen


def _of_split(
    datasets: Sequence[PreparedDataset], split: str, announce: Announce
) -> list[DatasetCase]:
    if split != NO_MASK:
        selection = select(datasets, split)
        for note in selection.notes:
            announce(note)
        return list(selection.cases)
    chosen = [(d, case) for d in datasets for case in d.cases if not case.has_mask]
    if not chosen:
        listed = ", ".join(str(dataset.root) for dataset in datasets)
        msg = f"every case of {listed} has a mask. Take another --split."
        raise DatasetError(msg)
    return chosen
