"""Score the masks of any other tool, or of a second reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.data.other_masks import MaskFolder, open_masks
from lungcli.errors import DatasetError, ImageError, OutputError
from lungcli.system.files import printable, real_path
from lungcli.system.progress import Progress, silent
from lungcli.workflows.evaluating.mask_cases import (
    Found,
    Task,
    cases_of_data,
    cases_of_folder,
)
from lungcli.workflows.evaluating.outputs import DEFAULT_OUTPUTS, EvaluationOutputs
from lungcli.workflows.evaluating.scoring import (
    DEFAULT_SETTINGS,
    Scored,
    ScoreSettings,
    score_in_threads,
)
from lungcli.workflows.evaluating.writer import Evaluation, EvaluationWriter

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


def evaluate_masks(
    predicted: Path,
    *,
    data: Sequence[Path] = (),
    reference: Path | None = None,
    images: Path | None = None,
    settings: ScoreSettings = DEFAULT_SETTINGS,
    outputs: EvaluationOutputs = DEFAULT_OUTPUTS,
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
        found = cases_of_data(masks, data, split)
    else:
        found = cases_of_folder(masks, reference, images)
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
    tasks: Sequence[Task],
    settings: ScoreSettings,
    writer: EvaluationWriter,
    progress: Progress,
) -> list[str]:
    """Score what can be scored; return what was wrong with the rest."""

    def score(task: Task) -> Scored | str:
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


def _check_some(found: Found, masks: MaskFolder) -> None:
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


def _notes_on(found: Found, masks: MaskFolder) -> list[str]:
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
