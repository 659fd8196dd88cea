"""Score a trained network on prepared cases, at their original resolution."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli.files import make_folder, write_json, write_text
from lungcli.metrics.overlap import overlap_by_lung
from lungcli.metrics.summary import CaseScores, score_case, summarize
from lungcli.progress import Progress, silent
from lungcli.runs import RUNS
from lungcli.workflows.datasets import DatasetCase, check_output, open_all, select
from lungcli.workflows.inference import LungModel, load_model

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
    model: Path | None = None,
    *,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
) -> Evaluation:
    """Score every case of a split against its untouched reference.

    Args:
        data: Folders of prepared data sets.
        model: Run folder; None takes the latest.
        split: `train`, `val`, `test` or `all`.
        out: Folder of the results; by default `evaluation` in the run folder, and
            for other splits than the test split a folder of their name in it.
        runs: Folder of all runs.
        any_convention: Whether to score across mask conventions.
        progress: Told after each case.

    Raises:
        DatasetError: If a data set is missing or the split has no cases.
        ModelError: If there is no usable model.
        OutputError: If the results cannot be written.
    """
    selection = select(open_all(data), split)
    cases = selection.cases
    lungs = load_model(model, runs=runs)
    lungs.check_convention(cases, any_convention=any_convention)
    folder = out or _default_folder(lungs, split)
    check_output(folder)
    make_folder(folder)  # before the work, not after it
    scores = score_all(lungs, cases, progress=progress)
    summary = {
        "model": str(lungs.run.root.resolve()),
        "split": split,
        "data": sorted({dataset.name for dataset, _ in cases}),
        **summarize(scores),
    }
    write_text(folder / CASES_CSV, _to_csv(scores, cases))
    write_json(folder / SUMMARY_JSON, summary)
    return Evaluation(
        cases=tuple(scores),
        summary=summary,
        paths=(folder / CASES_CSV, folder / SUMMARY_JSON),
        notes=(*selection.notes, *lungs.notes_on(cases)),
    )


def _default_folder(lungs: LungModel, split: str) -> Path:
    """Keep the splits apart: none may overwrite the scores of another."""
    folder = lungs.run.evaluation
    return folder if split == "test" else folder / split


def score_all(
    lungs: LungModel, cases: Sequence[DatasetCase], *, progress: Progress = silent
) -> list[CaseScores]:
    """Return the scores of each case, in order."""
    scores = []
    progress("evaluate", 0, len(cases))
    for (dataset, case), predicted in zip(cases, lungs.label_cases(cases), strict=True):
        counts = overlap_by_lung(dataset.read_reference(case), predicted)
        scores.append(score_case(case.source, case.case_id, counts))
        progress("evaluate", len(scores), len(cases))
    return scores


def _to_csv(scores: Sequence[CaseScores], cases: Sequence[DatasetCase]) -> str:
    """Return one row a case; what is undefined stays empty."""
    rows = []
    for score, (_, case) in zip(scores, cases, strict=True):
        row: dict[str, object] = {
            "source": case.source,
            "case_id": case.case_id,
            "patient_id": case.patient_id,
            "split": case.split,
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
