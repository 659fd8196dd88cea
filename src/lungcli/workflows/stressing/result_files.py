"""The files of `lungcli stress`: tables, curves, and what a level looks like."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from lungcli.arrays import Rgb
from lungcli.data.prepared import PreparedCase
from lungcli.perturbations.catalogue import Perturbation
from lungcli.pictures.colours import BACKGROUND
from lungcli.pictures.figures.stress_curves import StressCurve, draw_stress_curves
from lungcli.pictures.figures.theme import save_figure
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import fit_picture, outline
from lungcli.pictures.sheet import Tile, contact_sheet
from lungcli.system.files import Cell, csv_cell, write_json, write_text
from lungcli.workflows.stressing.trials import Dice, Outcome, Trial, find_columns
from lungcli.workflows.stressing.verdict import THRESHOLDS, Verdict

LEVELS_CSV: Final = "stress.csv"
CASES_CSV: Final = "stress_cases.csv"
SUMMARY_JSON: Final = "stress.json"
CURVES: Final = ("stress.png", "stress.svg")
EXAMPLES: Final = "examples.png"
_SIDE: Final = 192  # pixels of an example

Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that is written.

    Attributes:
        cases: The cases, one or more.
        tables: Their Dice, one table a perturbation.
        verdicts: One a perturbation, in the same order.
        example: One case in every trial of `trials.list_trials`.
    """

    cases: tuple[PreparedCase, ...]
    tables: tuple[Dice, ...]
    verdicts: tuple[Verdict, ...]
    example: tuple[tuple[Trial, Outcome], ...]


def write_results(
    folder: Path, results: Results, summary: Mapping[str, Any]
) -> tuple[Path, ...]:
    """Write every file, whole or not at all.

    Args:
        folder: Where they go.
        results: What the tables and pictures show.
        summary: The JSON document.

    Returns:
        Their paths, pictures first.

    Raises:
        OutputError: If one cannot be written.
    """
    curves = draw_stress_curves(
        [_to_curve(verdict) for verdict in results.verdicts], thresholds=THRESHOLDS
    )
    paths = [save_figure(curves, folder / name) for name in CURVES]
    paths.append(write_png(draw_examples(results), folder / EXAMPLES))
    write_text(folder / LEVELS_CSV, _to_csv(_level_rows(results.verdicts)))
    write_text(folder / CASES_CSV, _to_csv(_case_rows(results)))
    write_json(folder / SUMMARY_JSON, summary)
    names = (LEVELS_CSV, CASES_CSV, SUMMARY_JSON)
    return (*paths, *(folder / name for name in names))


def draw_examples(results: Results) -> Rgb:
    """Draw the example at every level, a row a perturbation, lungs outlined.

    The reference is dashed; the Dice stands behind the level.
    """
    perturbations = [verdict.perturbation for verdict in results.verdicts]
    trials = [trial for trial, _ in results.example]
    columns = find_columns(perturbations, trials)
    width = max(map(len, columns))
    blank = Tile("", np.full((1, 1, 3), BACKGROUND, np.uint8))
    tiles: list[Tile] = []
    for perturbation, row in zip(perturbations, columns, strict=True):
        outcomes = [results.example[index][1] for index in row]
        tiles += map(_to_tile, _captions(perturbation), outcomes)
        tiles += [blank] * (width - len(row))
    return contact_sheet(tiles, columns=width, side=_SIDE)


def _captions(perturbation: Perturbation) -> list[str]:
    """Name the levels in characters that the font of pictures has."""
    return [
        f"{perturbation.name} {perturbation.text(level)}".replace("×", "x")
        for level in perturbation.levels
    ]


def _to_tile(caption: str, outcome: Outcome) -> Tile:
    image, labels = outcome.sample
    picture, (predicted, reference) = fit_picture(
        image, [outcome.predicted, labels], _SIDE
    )
    drawn = outline(picture, predicted, reference=reference, thickness=1)
    return Tile(f"{caption}: {outcome.dice:.2f}", drawn)


def _to_curve(verdict: Verdict) -> StressCurve:
    perturbation, levels = verdict.perturbation, verdict.levels
    return StressCurve(
        title=perturbation.name,
        unit=perturbation.measure,
        ticks=perturbation.names or [f"{level:g}" for level in perturbation.levels],
        neutral=perturbation.levels.index(perturbation.neutral),
        mean=[scores.mean for scores in levels],
        low=[scores.low for scores in levels],
        high=[scores.high for scores in levels],
        p5=[scores.p5 for scores in levels],
    )


def _level_rows(verdicts: Sequence[Verdict]) -> Iterator[Row]:
    for verdict in verdicts:
        perturbation = verdict.perturbation
        for scores in verdict.levels:
            yield {
                "perturbation": perturbation.name,
                "level": scores.level,
                "unit": perturbation.unit,
                "of": perturbation.of,
                "neutral": int(scores.level == perturbation.neutral),
                "cases": scores.cases,
                "undefined": scores.undefined,
                "dice": _rounded(scores.mean),
                "dice_ci95_low": _rounded(scores.low),
                "dice_ci95_high": _rounded(scores.high),
                "dice_p5": _rounded(scores.p5),
                "failure_rate": _rounded(scores.failure_rate),
            }


def _case_rows(results: Results) -> Iterator[Row]:
    for number, case in enumerate(results.cases):
        for verdict, table in zip(results.verdicts, results.tables, strict=True):
            for level, dice in zip(
                verdict.perturbation.levels, table[number], strict=True
            ):
                yield {
                    "source": case.source,
                    "case_id": case.case_id,
                    "patient_id": case.patient_id,
                    "perturbation": verdict.perturbation.name,
                    "level": level,
                    "dice": _rounded(float(dice)),
                }


def _rounded(value: float) -> float:
    return round(value, 6)


def _to_csv(rows: Iterable[Row]) -> str:
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(
        {name: csv_cell(cell) for name, cell in row.items()} for row in rows
    )
    return text.getvalue()
