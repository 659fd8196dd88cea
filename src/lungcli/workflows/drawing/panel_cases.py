"""The cases that are drawn, each as one picture needs it."""

import math
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path

from lungcli.arrays import LabelMap, where_known
from lungcli.data.geometry import content_of, labels_to_square
from lungcli.metrics.overlap import LUNGS, Overlap, dice, iou, masks_of, overlap
from lungcli.pictures.panels import PanelCase
from lungcli.pictures.views import PanelScores
from lungcli.system.progress import Progress
from lungcli.workflows.shared.datasets import DatasetCase, known_to_both
from lungcli.workflows.shared.inference import LungModel


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
    for number, (owned, predicted) in enumerate(
        zip(with_mask, labelled, strict=True), start=1
    ):
        scored.append((dice(_count(lungs, owned, predicted)[LUNGS]), owned))
        progress("score", number, len(with_mask))
    scored.sort(key=lambda pair: worst_first(pair[0]))
    return [owned for _, owned in scored[:wanted]]


def worst_first(value: float) -> tuple[bool, float]:
    """Sort by Dice, lowest first; undefined ones last."""
    undefined = math.isnan(value)
    return undefined, 0.0 if undefined else value


def panel_cases(lungs: LungModel, cases: Sequence[DatasetCase]) -> Iterator[PanelCase]:
    """Yield each case at its stored size, with the scores of its original one."""
    several = len({case.source for _, case in cases}) > 1
    for (dataset, case), predicted in zip(cases, lungs.label_cases(cases), strict=True):
        reference, scores = None, PanelScores()
        if case.has_mask:
            reference = content_of(dataset.read_mask(case), case.geometry)
            scores = _score(_count(lungs, (dataset, case), predicted))
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


def _count(
    lungs: LungModel, owned: DatasetCase, predicted: LabelMap
) -> dict[str, Overlap]:
    """Count the pixels of the lungs and of what network and source both know."""
    dataset, case = owned
    reference = dataset.read_reference(case)
    structures = known_to_both(dataset.knowledge(case.source), lungs.structures)
    ours = masks_of(reference, structures)
    theirs = masks_of(where_known(predicted, reference), structures)
    return {part: overlap(ours[part], theirs[part]) for part in ours}


def _score(counts: dict[str, Overlap]) -> PanelScores:
    lungs = counts[LUNGS]
    area = lungs.both + lungs.missed
    return PanelScores(
        dice=dice(lungs),
        iou=iou(lungs),
        dice_of={part: dice(each) for part, each in counts.items() if part != LUNGS},
        missed=lungs.missed / area if area else float("nan"),
        extra=lungs.extra / area if area else float("nan"),
    )
