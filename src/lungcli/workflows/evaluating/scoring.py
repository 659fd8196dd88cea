"""Cases through the metrics, several at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import numpy as np

from lungcli.anatomy import BACKGROUND, IGNORE, Structure
from lungcli.arrays import Gray, LabelMap
from lungcli.data.geometry import content_of, labels_to_square
from lungcli.data.prepared import PreparedCase
from lungcli.errors import ConfigError
from lungcli.metrics.scores import (
    DEFAULT_TOLERANCE,
    CaseFacts,
    CaseScores,
    Tolerance,
    score_case,
)
from lungcli.metrics.summary import FAILURE_DICE
from lungcli.system.cores import num_cores
from lungcli.system.progress import Progress, silent
from lungcli.system.threads import in_order
from lungcli.workflows.shared.datasets import DatasetCase, known_to_both
from lungcli.workflows.shared.inference import LungModel

_AHEAD: Final = 2  # cases under way for each thread; each holds masks of full size

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """How cases are scored.

    Attributes:
        tolerance: Distance that the surface Dice (NSD) forgives.
        failure_dice: A case with a lower Dice counts as failed; in [0, 1].
        seed: Of the intervals and tests.
    """

    tolerance: Tolerance = DEFAULT_TOLERANCE
    failure_dice: float = FAILURE_DICE
    seed: int = 0

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        if not 0 <= self.failure_dice <= 1:
            msg = f"--failure is {self.failure_dice}: a Dice is between 0 and 1."
            raise ConfigError(msg)


DEFAULT_SETTINGS: Final = ScoreSettings()


class Shown(NamedTuple):
    """What a picture of a case shows; all on one grid, perhaps a reduced one."""

    image: Gray | None
    predicted: LabelMap
    reference: LabelMap


class Scored(NamedTuple):
    """One case that was scored."""

    scores: CaseScores
    split: str  # empty if it is in none
    shown: Shown


Keep = Callable[[PreparedCase, LabelMap], object]


def score_model(
    lungs: LungModel,
    cases: Sequence[DatasetCase],
    settings: ScoreSettings,
    *,
    keep: Keep | None = None,
    progress: Progress = silent,
) -> Iterator[Scored]:
    """Yield what a network scores on each case, in order.

    Args:
        lungs: The network.
        cases: Cases with mask.
        settings: How to score.
        keep: Handed each case and its label map, on the case's original grid.
        progress: Told after each case.
    """

    def score(pair: tuple[DatasetCase, LabelMap]) -> Scored:
        (dataset, case), predicted = pair
        if keep is not None:
            keep(case, predicted)
        reference = dataset.read_reference(case)
        known = known_to_both(dataset.knowledge(case.source), lungs.structures)
        if len(known) < len(lungs.structures):
            predicted = only(predicted, known)
        facts = facts_of(case)
        scores = score_case(facts, reference, predicted, settings.tolerance, known)
        return Scored(scores, case.split, show_prepared((dataset, case), predicted))

    pairs = zip(cases, lungs.label_cases(cases), strict=True)
    yield from score_in_threads(score, pairs, total=len(cases), progress=progress)


def only(labels: LabelMap, known: Sequence[Structure]) -> LabelMap:
    """Return labels of some structures alone: what is not scored is not shown."""
    kept = (BACKGROUND, IGNORE, *(each.label for each in known))
    values = np.arange(256, dtype=np.uint8)
    table: LabelMap = np.where(np.isin(values, kept), values, np.uint8(BACKGROUND))
    return table[labels]


def score_in_threads(
    score: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    total: int,
    progress: Progress = silent,
) -> Iterator[_Result]:
    """Yield the scores of each item, in order, and tell the progress."""
    progress("evaluate", 0, total)
    scored = in_order(score, items, num_cores(), ahead=_AHEAD)
    for done, one in enumerate(scored, start=1):
        yield one
        progress("evaluate", done, total)


def facts_of(case: PreparedCase) -> CaseFacts:
    """Return what the metrics need to know of a prepared case."""
    return CaseFacts(
        source=case.source,
        case_id=case.case_id,
        patient_id=case.patient_id,
        height=case.geometry.height,
        width=case.geometry.width,
        spacing_mm=case.spacing_mm,
        groups={
            "finding": case.finding,
            "sex": case.sex,
            "age": case.age,
            "view": case.view,
        },
    )


def show_prepared(owned: DatasetCase, predicted: LabelMap) -> Shown:
    """Return a case at its stored size, which is at most the prepared one."""
    dataset, case = owned
    square = labels_to_square(predicted, case.geometry)
    return Shown(
        image=content_of(dataset.read_image(case), case.geometry),
        predicted=content_of(square, case.geometry),
        reference=content_of(dataset.read_mask(case), case.geometry),
    )
