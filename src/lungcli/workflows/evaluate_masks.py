"""Score the masks of any other tool, or of a second reader."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from lungcli.arrays import Gray
from lungcli.data.other_masks import MaskFolder, open_masks, read_labels
from lungcli.data.sources.case_table import TABLE_NAME, read_case_table
from lungcli.data.xray import read_xray
from lungcli.errors import DatasetError, ImageError
from lungcli.files import printable
from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.progress import Progress, silent
from lungcli.workflows.datasets import (
    DatasetCase,
    data_names,
    full_name,
    open_all,
    select,
)
from lungcli.workflows.evaluate import DEFAULT_OUTPUTS, DEFAULT_SETTINGS
from lungcli.workflows.evaluation_files import Evaluation, EvaluationWriter, Outputs
from lungcli.workflows.scoring import (
    Scored,
    ScoreSettings,
    Shown,
    facts_of,
    score_in_threads,
    show_prepared,
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
            may say `case_id`, `patient_id`, `finding`, `sex`, `age` and `view`.
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
        OutputError: If the results cannot be written.
    """
    masks = open_masks(predicted)
    if reference is None:
        selection = select(open_all(data), split)
        found, missing = _on_prepared(masks, selection.cases)
        about = {"split": split, "data": data_names(selection.cases)}
        notes = list(selection.notes)
    else:
        found, missing = _on_folder(masks, reference, images)
        about = {"split": "all", "data": [str(reference)]}
        notes = []
    if not found:
        msg = (
            f"no mask in {predicted} is called as one of the {len(missing)} cases, "
            f"the first of which is {missing[0]}. Rename the masks."
        )
        raise DatasetError(msg)
    notes += _notes_on(missing, masks, len(found))
    folder = out or Path("evaluation") / predicted.resolve().name
    with EvaluationWriter(folder, settings, outputs) as writer:
        failed = _score_all(found, settings, writer, progress)
        if len(failed) == len(found):
            msg = f"no mask in {predicted} could be scored: {failed[0]}"
            raise DatasetError(msg)
        evaluation = writer.write(
            about={
                "model": f"masks in {printable(predicted)}",
                **about,
                "missing": missing,
                "failed": failed,
            },
            notes=notes,
        )
    return MaskEvaluation(
        evaluation=evaluation, failed=tuple(failed), missing=tuple(missing)
    )


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

    failed = []
    for one in score_in_threads(score, tasks, total=len(tasks), progress=progress):
        if isinstance(one, str):
            failed.append(one)
        else:
            writer.add(one)
    return failed


def _on_prepared(
    masks: MaskFolder, cases: Sequence[DatasetCase]
) -> tuple[list[_Task], list[str]]:
    tasks, missing = [], []
    for owned in cases:
        _, case = owned
        stems = (case.case_id, Path(case.reference).stem)
        path = masks.find([*(f"{case.source}/{stem}" for stem in stems), *stems])
        if path is None:
            missing.append(full_name(case))
        else:
            score = partial(_score_prepared, owned, path)
            tasks.append(_Task(full_name(case), case.split, score))
    return tasks, missing


def _score_prepared(owned: DatasetCase, path: Path, settings: ScoreSettings) -> Scored:
    dataset, case = owned
    reference = dataset.read_reference(case)
    predicted = read_labels(path, reference.shape)
    scores = score_case(facts_of(case), reference, predicted, settings.tolerance)
    return Scored(scores, case.split, show_prepared(owned, predicted))


def _on_folder(
    masks: MaskFolder, reference: Path, images: Path | None
) -> tuple[list[_Task], list[str]]:
    references = open_masks(reference)
    xrays = open_masks(images) if images else None
    known = {name: name for name in references.by_path}
    table = read_case_table(reference / TABLE_NAME, known)
    tasks, missing = [], []
    for name, drawn in references.by_path.items():
        names = [name, name.rpartition("/")[2]]
        path = masks.find(names)
        if path is None:
            missing.append(name)
            continue
        xray = xrays.find(names) if xrays else None
        files = _Files(name, reference.resolve().name, drawn, path, xray)
        score = partial(_score_files, files, table.get(name, {}))
        tasks.append(_Task(name, "", score))
    return tasks, missing


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
        spacing_mm=None,
        groups={group: row.get(group, "") for group in _GROUPS},
    )
    scores = score_case(facts, reference, predicted, settings.tolerance)
    image = _read_shown(files.xray, reference.shape)
    return Scored(scores, "", Shown(image, predicted, reference))


def _read_shown(path: Path | None, shape: tuple[int, ...]) -> Gray | None:
    """Return the X-ray behind the masks, if there is one of their size."""
    if path is None:
        return None
    pixels = read_xray(path).pixels
    return pixels if pixels.shape == shape else None


def _notes_on(missing: Sequence[str], masks: MaskFolder, used: int) -> list[str]:
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
