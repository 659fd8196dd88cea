"""`lungcli evaluate`: a model and cases in, scores out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from lungcli.cli.options import (
    DEFAULT_DATA,
    AnyConvention,
    AsJson,
    Data,
    Model,
    Split,
    SplitOption,
)
from lungcli.cli.output import out, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars

if TYPE_CHECKING:  # the workflow loads TensorFlow
    from lungcli.metrics.summary import CaseScores

_SCORES = {
    "dice": "Dice",
    "iou": "IoU (Jaccard)",
    "sensitivity": "Sensitivity",
    "precision": "Precision",
}


def evaluate(
    data: Data = DEFAULT_DATA,
    model: Model = None,
    split: SplitOption = Split.TEST,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the results.",
            show_default="evaluation[/<split>] in the run folder, or here if bundled",
        ),
    ] = None,
    any_convention: AnyConvention = False,
    as_json: AsJson = False,
) -> None:
    """Score a trained model: Dice, IoU, sensitivity and precision.

    Every case is scored at its original resolution against the untouched
    reference: both lungs together, the right and the left lung.
    """
    from lungcli.workflows import evaluate as workflow  # loads TensorFlow: seconds

    with progress_bars() as progress:
        evaluation = workflow.evaluate(
            data,
            model,
            split=split.value,
            out=out_folder,
            any_convention=any_convention,
            progress=progress,
            announce=print_note,
        )
    for note in evaluation.notes:
        print_note(note)
    if as_json:
        print_json(evaluation.summary)
        return
    print_summary(evaluation.summary)
    print_worst(evaluation.cases)
    print_paths(out, evaluation.paths)


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a table: one block for all cases, one for each source."""
    table = Table(title=f"{summary['cases']} cases, split {summary['split']}")
    table.add_column("score", no_wrap=True)
    for name in ("mean", "median", "5th pct", "worst"):
        table.add_column(name, justify="right")
    table.add_column("worst case", overflow="fold")
    sources = summary["sources"]
    groups = {"all": summary, **sources} if len(sources) > 1 else sources
    for source, group in groups.items():
        table.add_row(f"[bold]{escape(source)}[/bold] ({group['cases']})")
        _add_group(table, group)
    out.print(table)


def print_worst(cases: "Sequence[CaseScores]", count: int = 5) -> None:
    """Print the cases with the lowest Dice."""
    from lungcli.metrics.summary import worst_first

    table = Table(title=f"lowest Dice, {min(count, len(cases))} of {len(cases)}")
    for name in ("source", "case"):
        table.add_column(name, overflow="fold")
    for name in ("Dice", "right lung", "left lung"):
        table.add_column(name, justify="right")
    for case in worst_first(cases)[:count]:
        values = (case.scores[part]["dice"] for part in ("lungs", "right", "left"))
        table.add_row(
            escape(case.source),
            escape(case.case_id),
            *(f"{value:.4f}" if value == value else "-" for value in values),  # noqa: PLR0124 - NaN
        )
    out.print(table)


def _add_group(table: Table, group: Mapping[str, Any]) -> None:
    rows = {text: group[name] for name, text in _SCORES.items()}
    rows["Dice, right lung"] = group["right"]["dice"]
    rows["Dice, left lung"] = group["left"]["dice"]
    for text, score in rows.items():
        numbers = (score[key] for key in ("mean", "median", "p5", "min"))
        table.add_row(
            f"  {text}",
            *("-" if value is None else f"{value:.4f}" for value in numbers),
            escape(score["worst"] or "-"),
        )
    table.add_section()
