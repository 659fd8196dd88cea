"""Which cases are drawn, and each as one picture needs it."""

import math
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.data.geometry import content_of, labels_to_square
from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.metrics.overlap import LUNGS, Overlap, dice, iou, overlap_by_lung
from lungcli.pictures.panels import PanelCase
from lungcli.pictures.views import PanelScores
from lungcli.progress import Progress
from lungcli.workflows.datasets import DatasetCase, full_name, select
from lungcli.workflows.inference import LungModel
from lungcli.workflows.models import Announce, quiet

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


def worst_cases(
    lungs: LungModel, cases: Sequence[DatasetCase], wanted: int, progress: Progress
) -> list[DatasetCase]:
    """Return the cases with the lowest Dice, lowest first; undefined ones last.

    Args:
        lungs: The network.
        cases: Those without mask are left out.
        wanted: How many, at most.
        progress: Told after each case.
    """
    with_mask = [owned for owned in cases if owned[1].has_mask]
    progress("score", 0, len(with_mask))
    scored = []
    labelled = lungs.label_cases(with_mask)
    for number, ((dataset, case), predicted) in enumerate(
        zip(with_mask, labelled, strict=True), start=1
    ):
        counts = overlap_by_lung(dataset.read_reference(case), predicted)[LUNGS]
        scored.append((dice(counts), (dataset, case)))
        progress("score", number, len(with_mask))
    scored.sort(key=lambda pair: worst_first(pair[0]))
    return [owned for _, owned in scored[:wanted]]


def worst_first(value: float) -> tuple[bool, float]:
    """Sort by Dice, lowest first; undefined ones last."""
    undefined = math.isnan(value)
    return undefined, 0.0 if undefined else value


def draw_cases(lungs: LungModel, cases: Sequence[DatasetCase]) -> Iterator[PanelCase]:
    """Yield each case at its stored size, with the scores of its original one."""
    several = len({case.source for _, case in cases}) > 1
    for (dataset, case), predicted in zip(cases, lungs.label_cases(cases), strict=True):
        reference, scores = None, PanelScores()
        if case.has_mask:
            reference = content_of(dataset.read_mask(case), case.geometry)
            scores = _score(overlap_by_lung(dataset.read_reference(case), predicted))
        square = labels_to_square(predicted, case.geometry)
        yield PanelCase(
            title=case.case_id,
            image=content_of(dataset.read_image(case), case.geometry),
            predicted=content_of(square, case.geometry),
            reference=reference,
            scores=scores,
            note=case.source if several else "",
        )


def picture_names(cases: Sequence[DatasetCase]) -> list[str]:
    """Name pictures after the stored images; numbered where two sets agree."""
    names: list[str] = []
    for _, case in cases:
        stem = Path(case.image).stem
        numbered = (f"{stem}-{number}.png" for number in count(2))
        free = (name for name in chain([f"{stem}.png"], numbered) if name not in names)
        names.append(next(free))
    return names


class Spool:
    """Cases on disk between the network and the pictures, so that memory stays flat.

    Args:
        folder: An empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.dice: list[float] = []

    def add(self, panel: PanelCase) -> None:
        """Keep one more case."""
        self._path(len(self.dice)).write_bytes(pickle.dumps(panel))
        self.dice.append(panel.scores.dice)

    @property
    def has_scores(self) -> bool:
        """Whether any case has a gold standard that shows."""
        return not all(map(math.isnan, self.dice))

    def __len__(self) -> int:
        return len(self.dice)

    def __iter__(self) -> Iterator[PanelCase]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> PanelCase:
        panel: PanelCase = pickle.loads(  # noqa: S301 - our own
            self._path(index).read_bytes()
        )
        return panel

    def _path(self, index: int) -> Path:
        return self._folder / f"{index}.pickle"


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


def _score(counts: dict[str, Overlap]) -> PanelScores:
    lungs = counts[LUNGS]
    area = lungs.both + lungs.missed
    return PanelScores(
        dice=dice(lungs),
        iou=iou(lungs),
        right_dice=dice(counts["right"]),
        left_dice=dice(counts["left"]),
        missed=lungs.missed / area if area else float("nan"),
        extra=lungs.extra / area if area else float("nan"),
    )
