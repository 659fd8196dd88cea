"""The cases that masks of another tool belong to, and how each is scored."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lungcli.anatomy import LUNGS, STRUCTURES, Knowledge, Structure
from lungcli.arrays import Gray, SpacingMm
from lungcli.data.other_masks import MaskFolder, any_shows, open_masks, read_labels
from lungcli.data.prepared import PreparedCase
from lungcli.data.read_xray import read_xray
from lungcli.data.sources.case_table import TABLE_NAME, read_case_table
from lungcli.errors import ImageError
from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.metrics.subgroups import COLUMNS
from lungcli.system.files import real_path
from lungcli.workflows.evaluating.scoring import (
    Scored,
    ScoreSettings,
    Shown,
    facts_of,
    only,
    show_prepared,
)
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    data_names,
    full_name,
    known_to_both,
    select_to_score,
)


class Task(NamedTuple):
    """One case: who it is, and how to score it."""

    name: str
    split: str
    score: Callable[[ScoreSettings], Scored]


class Found(NamedTuple):
    """The cases, those without a mask by name, and where they come from."""

    tasks: list[Task]
    missing: list[str]
    split: str
    data: list[str]
    notes: tuple[str, ...]


def cases_of_data(masks: MaskFolder, data: Sequence[Path], split: str) -> Found:
    """Find the masks of prepared cases.

    Raises:
        DatasetError: If a data set is missing or the split has no cases.
    """
    selection = select_to_score(data, split)
    cases = selection.cases
    paths = masks.find_all({full_name(case): _file_names(case) for _, case in cases})
    shown, notes = _shown_by(paths.values(), _known_of(cases))
    tasks = [
        Task(
            name,
            case.split,
            partial(_score_prepared, (dataset, case), paths[name], shown),
        )
        for dataset, case in cases
        if (name := full_name(case)) in paths
    ]
    missing = [name for _, case in cases if (name := full_name(case)) not in paths]
    notes = (*selection.notes, *notes)
    return Found(tasks, missing, split, data_names(cases), notes)


def _known_of(cases: Sequence[DatasetCase]) -> list[Structure]:
    """Return what the references of any case know beside the lungs."""
    return [
        each
        for each in STRUCTURES
        if each not in LUNGS
        and any(
            dataset.knowledge(case.source)[each.key] is Knowledge.EXACT
            for dataset, case in cases
        )
    ]


def _shown_by(
    masks: Iterable[Path], known: Iterable[Structure]
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """Return what is scored: the lungs, and what is known and any mask shows.

    One mask that shows a heart is enough: whoever draws hearts has missed that of a
    case without one.

    Returns:
        The structures, and a note on those that no mask shows.
    """
    paths = list(masks)
    shown, notes = list(LUNGS), []
    for each in known:
        if any_shows(paths, each):
            shown.append(each)
        else:
            notes.append(
                f"the references know the {each.name}, and no mask shows it: the lungs "
                "alone are scored."
            )
    return tuple(shown), tuple(notes)


def _file_names(case: PreparedCase) -> tuple[str, ...]:
    """Return what the mask of a case may be called, the surest first.

    Where two sources share a name, the stored files are numbered, and so are the masks
    of a tool that was run on them.
    """
    stored = Path(case.reference).stem
    of_source = (f"{case.source}/{stem}" for stem in (case.case_id, stored))
    return (*of_source, stored, case.case_id)


def _score_prepared(
    owned: DatasetCase,
    path: Path,
    shown: Sequence[Structure],
    settings: ScoreSettings,
) -> Scored:
    dataset, case = owned
    reference = dataset.read_reference(case)
    known = known_to_both(dataset.knowledge(case.source), shown)
    predicted = only(read_labels(path, reference.shape), known)
    facts = facts_of(case)
    scores = score_case(facts, reference, predicted, settings.tolerance, known)
    return Scored(scores, case.split, show_prepared(owned, predicted))


def cases_of_folder(masks: MaskFolder, reference: Path, images: Path | None) -> Found:
    """Find the masks of cases that are known by a folder of reference masks alone.

    Raises:
        DatasetError: If a folder is missing or empty, or its table cannot be read.
    """
    references = open_masks(reference)
    xrays = open_masks(images) if images else None
    known = {name: name for name in references.by_path}
    table = read_case_table(reference / TABLE_NAME, known)
    names = {name: (name, name.rpartition("/")[2]) for name in references.by_path}
    found = masks.find_all(names)
    shown = xrays.find_all(names) if xrays else {}
    drawn_by_both, notes = _shown_by(found.values(), _drawn_in(references))
    tasks = []
    for name in (name for name in names if name in found):
        drawn, source = references.by_path[name], real_path(reference).name
        files = _Files(name, source, drawn, found[name], shown.get(name))
        score = partial(_score_files, files, table.get(name, {}), drawn_by_both)
        tasks.append(Task(name, "", score))
    missing = [name for name in names if name not in found]
    return Found(tasks, missing, "all", [str(reference)], notes)


def _drawn_in(references: MaskFolder) -> list[Structure]:
    """Return what any reference shows beside the lungs."""
    others = (each for each in STRUCTURES if each not in LUNGS)
    return [each for each in others if any_shows(references.by_path.values(), each)]


class _Files(NamedTuple):
    """The files of one case that lungcli has not prepared."""

    case_id: str
    source: str
    reference: Path
    predicted: Path
    xray: Path | None


def _score_files(
    files: _Files,
    row: Mapping[str, str],
    known: Sequence[Structure],
    settings: ScoreSettings,
) -> Scored:
    reference = only(read_labels(files.reference), known)
    predicted = only(read_labels(files.predicted, reference.shape), known)
    facts = CaseFacts(
        source=files.source,
        case_id=files.case_id,
        patient_id=row.get("patient_id") or files.case_id,
        height=reference.shape[0],
        width=reference.shape[1],
        spacing_mm=_spacing_of(row, files.reference),
        groups={group: row.get(group, "") for group in COLUMNS},
    )
    scores = score_case(facts, reference, predicted, settings.tolerance, known)
    image = _read_shown(files.xray, reference.shape)
    return Scored(scores, "", Shown(image, predicted, reference))


def _spacing_of(row: Mapping[str, str], reference: Path) -> SpacingMm | None:
    """Return the pixel size that a table states; None if it states none.

    Raises:
        ImageError: If it is no number above 0.
    """
    cells = [row.get(f"spacing_{side}_mm", "") for side in ("row", "column")]
    if not any(cells):
        return None
    try:
        row_mm, column_mm = map(float, cells)
    except ValueError:
        row_mm = column_mm = math.nan
    if not (0 < row_mm < math.inf and 0 < column_mm < math.inf):
        msg = (
            f"{reference}: {TABLE_NAME} says its pixels are {cells[0] or 'empty'} by "
            f"{cells[1] or 'empty'} mm. Give two numbers above 0, or neither."
        )
        raise ImageError(msg)
    return row_mm, column_mm


def _read_shown(path: Path | None, shape: tuple[int, ...]) -> Gray | None:
    """Return the X-ray behind the masks, if there is one of their size."""
    if path is None:
        return None
    try:
        pixels = read_xray(path).pixels
    except ImageError:  # a picture less, but no reason to lose the scores
        return None
    return pixels if pixels.shape == shape else None
