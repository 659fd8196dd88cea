"""Score the masks of any other tool, or of a second reader."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from lungcli.arrays import Gray, SpacingMm
from lungcli.data.other_masks import MaskFolder, open_masks, read_labels
from lungcli.data.prepared import PreparedCase
from lungcli.data.read_xray import read_xray
from lungcli.data.sources.case_table import TABLE_NAME, read_case_table
from lungcli.errors import DatasetError, ImageError, OutputError
from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.system.files import printable, real_path
from lungcli.system.progress import Progress, silent
from lungcli.workflows.evaluating.evaluate import DEFAULT_OUTPUTS, DEFAULT_SETTINGS
from lungcli.workflows.evaluating.outputs import Evaluation, EvaluationWriter, Outputs
from lungcli.workflows.evaluating.scoring import (
    Scored,
    ScoreSettings,
    Shown,
    facts_of,
    score_in_threads,
    show_prepared,
)
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    data_names,
    full_name,
    select_to_score,
)

_GROUPS: Final = ("finding", "sex", "age", "view")
_NAMED_MISSING: Final = 3  # so many are named on the terminal; all in summary.json


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskEvaluation:
    """What became of the masks of a folder.

    Attributes:
        evaluation: The scores of those that could be scored.
        failed: What was wrong with the others, a sentence each.
        missing: Names of the cases for which there is no mask.
    """

    evaluation: Evaluation
    failed: tuple[str, ...]
    missing: tuple[str, ...]


class _Task(NamedTuple):
    """One case: who it is, and how to score it."""

    name: str
    split: str
    score: Callable[[ScoreSettings], Scored]


class _Found(NamedTuple):
    """The cases, those without a mask by name, and where they come from."""

    tasks: list[_Task]
    missing: list[str]
    split: str
    data: list[str]
    notes: tuple[str, ...]


def evaluate_masks(
    predicted: Path,
    *,
    data: Sequence[Path] = (),
    reference: Path | None = None,
    images: Path | None = None,
    settings: ScoreSettings = DEFAULT_SETTINGS,
    outputs: Outputs = DEFAULT_OUTPUTS,
    split: str = "test",
    out: Path | None = None,
    progress: Progress = silent,
) -> MaskEvaluation:
    """Score a folder of masks, against prepared cases or another folder of masks.

    A mask belongs to the case whose name it has, `_mask` at the end or not, in the
    folder or in any folder below it.

    Args:
        predicted: Folder of masks: binary, or label maps 0/1/2, as images.
        data: Folders of prepared data sets, whose references are taken.
        reference: Folder of reference masks, instead of `data`; a `cases.csv` in it
            may say `case_id`, `patient_id`, `spacing_row_mm`, `spacing_column_mm`,
            `finding`, `sex`, `age` and `view`.
        images: Folder of the X-rays to `reference`, for the report alone.
        settings: How to score.
        outputs: Which files to write besides `cases.csv` and `summary.json`.
        split: Of `data`: `train`, `val`, `test` or `all`.
        out: Folder of the results; by default one in `evaluation`, called as
            `predicted`.
        progress: Told after each case.

    Raises:
        DatasetError: If a folder is missing or empty, or no mask could be scored.
        ConfigError: If the tolerance is in mm and a case has no pixel size.
        OutputError: If the results cannot be written, or would lie among masks.
    """
    folder = out or Path("evaluation") / real_path(predicted).name
    _check_apart(folder, [predicted, reference, images])
    masks = open_masks(predicted)
    if reference is None:
        found = _on_prepared(masks, data, split)
    else:
        found = _on_folder(masks, reference, images)
    _check_some(found, masks)
    with EvaluationWriter(folder, settings, outputs) as writer:
        failed = _score_all(found.tasks, settings, writer, progress)
        if len(failed) == len(found.tasks):
            msg = f"no mask in {predicted} could be scored: {failed[0]}"
            raise DatasetError(msg)
        evaluation = writer.write(
            about={
                "model": f"masks in {printable(predicted)}",
                "split": found.split,
                "data": found.data,
                "missing": found.missing,
                "failed": failed,
            },
            notes=[*found.notes, *_notes_on(found, masks)],
        )
    return MaskEvaluation(
        evaluation=evaluation, failed=tuple(failed), missing=tuple(found.missing)
    )


def _check_apart(folder: Path, inputs: Sequence[Path | None]) -> None:
    """Refuse to write among masks: `cases.csv` may be the user's table of patients.

    Raises:
        OutputError: If the folder is one of the inputs.
    """
    if real_path(folder) in {real_path(given) for given in inputs if given}:
        msg = f"{folder} holds what is to be scored. Choose another --out."
        raise OutputError(msg)


def _score_all(
    tasks: Sequence[_Task],
    settings: ScoreSettings,
    writer: EvaluationWriter,
    progress: Progress,
) -> list[str]:
    """Score what can be scored; return what was wrong with the rest."""

    def score(task: _Task) -> Scored | str:
        try:
            return task.score(settings)
        except ImageError as error:
            return str(error)
        except MemoryError:
            return f"{task.name} is too large for the memory. Make its masks smaller."

    failed = []
    for one in score_in_threads(score, tasks, total=len(tasks), progress=progress):
        if isinstance(one, str):
            failed.append(one)
        else:
            writer.add(one)
    return failed


def _on_prepared(masks: MaskFolder, data: Sequence[Path], split: str) -> _Found:
    selection = select_to_score(data, split)
    cases = selection.cases
    paths = masks.find_all({full_name(case): _file_names(case) for _, case in cases})
    tasks = [
        _Task(name, case.split, partial(_score_prepared, (dataset, case), paths[name]))
        for dataset, case in cases
        if (name := full_name(case)) in paths
    ]
    missing = [name for _, case in cases if (name := full_name(case)) not in paths]
    return _Found(tasks, missing, split, data_names(cases), selection.notes)


def _check_some(found: _Found, masks: MaskFolder) -> None:
    """Refuse to score nothing.

    Raises:
        DatasetError: If no case has a mask.
    """
    if not found.tasks:
        msg = (
            f"no mask in {masks.root} is called as one of the {len(found.missing)} "
            f"cases, the first of which is {found.missing[0]}. Rename the masks."
        )
        raise DatasetError(msg)


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


def _on_folder(masks: MaskFolder, reference: Path, images: Path | None) -> _Found:
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
        tasks.append(_Task(name, "", score))
    missing = [name for name in names if name not in found]
    return _Found(tasks, missing, "all", [str(reference)], ())


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
        groups={group: row.get(group, "") for group in _GROUPS},
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


def _notes_on(found: _Found, masks: MaskFolder) -> list[str]:
    missing, used = found.missing, len(found.tasks)
    notes = []
    if missing:
        some = ", ".join(missing[:_NAMED_MISSING])
        more = ", ..." if len(missing) > _NAMED_MISSING else ""
        notes.append(
            f"{len(missing)} of {used + len(missing)} cases have no mask in "
            f"{printable(masks.root)} ({some}{more}) and are in no score: if the other "
            "tool failed on them, the scores flatter it."
        )
    if len(masks.by_path) > used:
        unused = len(masks.by_path) - used
        notes.append(
            f"{unused} images in {printable(masks.root)} belong to no case that is "
            "scored and were left alone."
        )
    return notes
