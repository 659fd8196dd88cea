"""The cases that masks of another tool belong to, and how each is scored."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lungcli.arrays import Gray, SpacingMm
from lungcli.data.other_masks import MaskFolder, open_masks, read_labels
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
    show_prepared,
)
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    data_names,
    full_name,
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
    tasks = [
        Task(name, case.split, partial(_score_prepared, (dataset, case), paths[name]))
        for dataset, case in cases
        if (name := full_name(case)) in paths
    ]
    missing = [name for _, case in cases if (name := full_name(case)) not in paths]
    return Found(tasks, missing, split, data_names(cases), selection.notes)


def _file_names(case: PreparedCase) -> tuple[str, ...]:
    """Return what the mask of a case may be called, the surest first.

    Where two sources share a name, the stored files are numbered, and so are the masks
    of a tool that was run on them.
    """
    stored = Path(case.reference).stem
    of_source = (f"{case.source}/{stem}" for stem in (case.case_id, stored))
    return (*of_source, stored, case.case_id)


def _score_prepared(owned: DatasetCase, path: Path, settings: ScoreSettings) -> Scored:
    dataset, case = owned
    reference = dataset.read_reference(case)
    predicted = read_labels(path, reference.shape)
    scores = score_case(facts_of(case), reference, predicted, settings.tolerance)
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
    tasks = []
    for name in (name for name in names if name in found):
        drawn, source = references.by_path[name], real_path(reference).name
        files = _Files(name, source, drawn, found[name], shown.get(name))
        score = partial(_score_files, files, table.get(name, {}))
        tasks.append(Task(name, "", score))
    missing = [name for name in names if name not in found]
    return Found(tasks, missing, "all", [str(reference)], ())


class _Files(NamedTuple):
    """The files of one case that lungcli has not prepared."""

    case_id: str
    source: str
    reference: Path
    predicted: Path
    xray: Path | None


def _score_files(
    files: _Files, row: Mapping[str, str], settings: ScoreSettings
) -> Scored:
    reference = read_labels(files.reference)
    predicted = read_labels(files.predicted, reference.shape)
    facts = CaseFacts(
        source=files.source,
        case_id=files.case_id,
        patient_id=row.get("patient_id") or files.case_id,
        height=reference.shape[0],
        width=reference.shape[1],
        spacing_mm=_spacing_of(row, files.reference),
        groups={group: row.get(group, "") for group in COLUMNS},
    )
    scores = score_case(facts, reference, predicted, settings.tolerance)
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
