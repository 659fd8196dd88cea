"""Two recipes on the same cases: the difference of each score, with its interval.

    lungcli train --folds 5 --run a --size 256
    lungcli train --folds 5 --run b --size 384
    python benchmarks/recipes.py a b

The same seed and data draw the same folds, so that the out-of-fold scores of two
cross-validations belong together case by case.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from lungcli.metrics.comparison import Difference, compare, pair_cases
from lungcli.metrics.scores import CaseFacts, CaseScores
from lungcli.workflows.evaluating.cases_csv import CASES_CSV
from output import AsJson, open_console, print_document, stop

_STRUCTURES = {"lungs": "", "right": "right_", "left": "left_"}  # their prefixes
SCORES = (
    *("dice", "nsd"),
    *("hd95_mm", "hd95_px", "hd95_percent"),
    *("assd_mm", "assd_px", "assd_percent"),
)


def main(
    first: Annotated[Path, typer.Argument(help="Folder of a cross-validation.")],
    second: Annotated[Path, typer.Argument(help="Of another one.")],
    as_json: AsJson = False,
) -> None:
    """Measure by how much two cross-validations differ, case by case."""
    console = open_console(as_json=as_json)
    try:
        pairs = pair_cases(read_scores(first), read_scores(second))
    except (KeyError, OSError, ValueError) as error:
        stop(f"cannot compare {first} and {second}: {error}")
    differences = compare(*pairs)
    show_dice(console, {str(first): pairs.first, str(second): pairs.second})
    show_differences(console, differences)
    if as_json:
        rows = [asdict(difference) for difference in differences]
        print_document("recipes", {"differences": rows})


def read_scores(run: Path) -> list[CaseScores]:
    """Read the out-of-fold scores of a cross-validation.

    Raises:
        OSError: If there are none.
        KeyError: If a column is missing.
        ValueError: If a value is no number.
    """
    path = run / "evaluation" / CASES_CSV
    with path.open(newline="", encoding="utf-8") as stream:
        return [_case_of(row) for row in csv.DictReader(stream)]


def show_dice(console: Console, recipes: Mapping[str, Sequence[CaseScores]]) -> None:
    """Print the Dice of each recipe and source."""
    table = Table("source", "recipe", "cases", "mean", "5th percentile", "worst")
    table.title = "Dice of both lungs"
    names = dict.fromkeys(c.source for cases in recipes.values() for c in cases)
    for source in names:
        for recipe, cases in recipes.items():
            dice = np.array([case.dice for case in cases if case.source == source])
            figures = (dice.mean(), np.percentile(dice, 5), dice.min())
            texts = (f"{figure:.4f}" for figure in figures)
            table.add_row(source, recipe, str(len(dice)), *texts)
    console.print(table)


def show_differences(console: Console, differences: Sequence[Difference]) -> None:
    """Print each difference with its interval by patient."""
    table = Table(title="second - first")
    for column in ("source", "part", "score", "mean", "95 %", "p, Holm"):
        table.add_column(column, no_wrap=True)
    for row in differences:
        digits = 2 if row.score.startswith(("hd95", "assd")) else 4
        interval = " to ".join(f"{end:+.{digits}f}" for end in row.ci95 or [])
        table.add_row(
            *(row.source, row.structure, row.score),
            *(f"{row.mean:+.{digits}f}", interval, f"{row.p_holm:.4f}"),
        )
    console.print(table)


def _case_of(row: Mapping[str, str]) -> CaseScores:
    spacing = row["spacing_row_mm"], row["spacing_column_mm"]
    facts = CaseFacts(
        source=row["source"],
        case_id=row["case_id"],
        patient_id=row["patient_id"],
        height=int(row["height"]),
        width=int(row["width"]),
        spacing_mm=(float(spacing[0]), float(spacing[1])) if all(spacing) else None,
        groups={},
    )
    scores = {
        structure: {name: float(row[prefix + name] or "nan") for name in SCORES}
        for structure, prefix in _STRUCTURES.items()
    }
    return CaseScores(facts=facts, scores=scores)


if __name__ == "__main__":
    typer.run(main)
