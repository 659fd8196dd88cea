"""Score a trained network on prepared cases, at their original resolution."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli import __version__
from lungcli.arrays import LabelMap
from lungcli.data.prepared import PreparedCase
from lungcli.files import make_folder, write_json, write_text
from lungcli.metrics.overlap import overlap_by_lung
from lungcli.metrics.summary import CaseScores, score_case, summarize
from lungcli.progress import Progress, silent
from lungcli.runs import RUNS, RunFolder
from lungcli.workflows.datasets import DatasetCase, check_output, open_all, select
from lungcli.workflows.inference import LungModel, load_model
from lungcli.workflows.models import Announce, find_model, quiet

CASES_CSV = "cases.csv"
SUMMARY_JSON = "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores, and where they were written.

    Attributes:
        cases: Scores of each case.
        summary: As `metrics.summary.summarize`, with the model, split and data.
        paths: The files.
        notes: What the user should know before trusting the scores.
    """

    cases: tuple[CaseScores, ...]
    summary: dict[str, Any]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def evaluate(
    data: Sequence[Path],
    model: str | Path | None = None,
    *,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> Evaluation:
    """Score every case of a split against its untouched reference.

    Args:
        data: Folders of prepared data sets.
        model: As `models.find_model` takes it; None is the latest run, else the
            bundled network.
        split: `train`, `val`, `test` or `all`.
        out: Folder of the results; by default `evaluation` in the run folder (in the
            current folder for the bundled network), and for other splits than the
            test split a folder of their name in it.
        runs: Folder of all runs.
        any_convention: Whether to score across mask conventions.
        progress: Told after each case.
        announce: Told if the bundled network was taken unasked.

    Raises:
        DatasetError: If a data set is missing or the split has no cases.
        ModelError: If there is no usable model.
        OutputError: If the results cannot be written.
    """
    selection = select(open_all(data), split)
    cases = selection.cases
    found = find_model(model, runs=runs, announce=announce)
    lungs = load_model(found)
    lungs.check_convention(cases, any_convention=any_convention)
    folder = out or _default_folder(found.results, split)
    check_output(folder)
    make_folder(folder)  # before the work, not after it
    scores = score_all(lungs, cases, progress=progress)
    return write_evaluation(
        folder,
        cases,
        scores,
        about={"model": found.name, "split": split},
        notes=(*selection.notes, *lungs.notes_on(cases)),
    )


def write_evaluation(
    folder: Path,
    cases: Sequence[DatasetCase],
    scores: Sequence[CaseScores],
    *,
    about: Mapping[str, Any],
    notes: Sequence[str] = (),
    columns: Mapping[str, Sequence[object]] | None = None,
) -> Evaluation:
    """Summarize scores, and write `cases.csv` and `summary.json`.

    Args:
        folder: Where they go.
        cases: Cases that were scored.
        scores: Theirs, in the same order.
        about: What the summary begins with: at least `model` and `split`.
        notes: What the user should know before trusting the scores.
        columns: Further columns of `cases.csv`: name to one value a case.

    Raises:
        OutputError: If they cannot be written.
    """
    summary = {
        "lungcli": __version__,
        **about,
        "data": sorted({dataset.name for dataset, _ in cases}),
        "notes": list(notes),
        **summarize(scores),
    }
    write_text(folder / CASES_CSV, _to_csv(scores, cases, columns or {}))
    write_json(folder / SUMMARY_JSON, summary)
    return Evaluation(
        cases=tuple(scores),
        summary=summary,
        paths=(folder / CASES_CSV, folder / SUMMARY_JSON),
        notes=tuple(notes),
    )


def _default_folder(results: RunFolder, split: str) -> Path:
    """Keep the splits apart: none may overwrite the scores of another."""
    folder = results.evaluation
    return folder if split == "test" else folder / split


def score_all(
    lungs: LungModel,
    cases: Sequence[DatasetCase],
    *,
    keep: Callable[[PreparedCase, LabelMap], object] | None = None,
    progress: Progress = silent,
) -> list[CaseScores]:
    """Return the scores of each case, in order.

    Args:
        lungs: The network.
        cases: Cases with mask.
        keep: Handed each case and its label map, on the case's original grid.
        progress: Told after each case.
    """
    scores = []
    progress("evaluate", 0, len(cases))
    for (dataset, case), predicted in zip(cases, lungs.label_cases(cases), strict=True):
        if keep is not None:
            keep(case, predicted)
        counts = overlap_by_lung(dataset.read_reference(case), predicted)
        scores.append(score_case(case.source, case.case_id, counts))
        progress("evaluate", len(scores), len(cases))
    return scores


def _to_csv(
    scores: Sequence[CaseScores],
    cases: Sequence[DatasetCase],
    columns: Mapping[str, Sequence[object]],
) -> str:
    """Return one row a case; what is undefined stays empty."""
    rows = []
    for index, (score, (_, case)) in enumerate(zip(scores, cases, strict=True)):
        row: dict[str, object] = {
            "source": case.source,
            "case_id": case.case_id,
            "patient_id": case.patient_id,
            "split": case.split,
            **{name: values[index] for name, values in columns.items()},
            "height": case.geometry.height,
            "width": case.geometry.width,
        }
        for structure, values in score.scores.items():
            prefix = "" if structure == "lungs" else f"{structure}_"
            for name, value in values.items():
                row[f"{prefix}{name}"] = "" if math.isnan(value) else f"{value:.6f}"
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
