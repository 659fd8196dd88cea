"""The mean Dice by the probability from which a pixel counts as lung.

    python benchmarks/thresholds.py --model runs/folds              # out of fold
    python benchmarks/thresholds.py --model runs/m --data jsrt --split all

For the folder of a cross-validation (`lungcli train --folds`) each case is labelled by
the network that never saw it. A threshold chosen on the cases it is scored on flatters.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from lungcli.errors import LungcliError, ModelError
from lungcli.metrics.overlap import dice, overlap
from lungcli.model.find import find_model
from lungcli.workflows.cross_validating.cross_validation import (
    CrossValidation,
    open_cross_validation,
)
from lungcli.workflows.shared.datasets import DatasetCase, open_all, select
from lungcli.workflows.shared.inference import LungModel, load_model
from lungcli.workflows.training.folds import development_cases, draw_folds
from output import AsJson, open_console, print_document, stop

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)

Work = tuple[LungModel, Sequence[DatasetCase]]


def main(
    model: Annotated[
        str, typer.Option(help="Run, bundled, or folder of a cross-validation.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            "-d",
            help="Folder written by 'lungcli prepare'; not for a cross-validation.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Cases to measure on.")] = "val",
    as_json: AsJson = False,
) -> None:
    """Measure the mean Dice of each source at several thresholds."""
    console = open_console(as_json=as_json)
    try:
        scores = measure(_work(model, data, split))
    except LungcliError as error:
        stop(str(error))
    means = {source: [float(v) for v in rows.mean(0)] for source, rows in scores}
    if len(means) > 1:
        means["mean of these"] = np.mean(list(means.values()), axis=0).tolist()
    table = Table("threshold", *means, title="mean Dice")
    for threshold, row in zip(
        THRESHOLDS, zip(*means.values(), strict=True), strict=True
    ):
        table.add_row(f"{threshold:g}", *(f"{value:.4f}" for value in row))
    console.print(table)
    if as_json:
        print_document("thresholds", {"thresholds": THRESHOLDS, "dice": means})


def measure(work: Iterator[Work]) -> list[tuple[str, np.ndarray]]:
    """Return each source with the Dice of its cases, `(cases, thresholds)`."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for lungs, cases in work:
        columns = [_dice_at(lungs, cases, threshold) for threshold in THRESHOLDS]
        for (_, case), row in zip(cases, zip(*columns, strict=True), strict=True):
            found[case.source].append(list(row))
    return [(f"{name} ({len(found[name])})", np.array(found[name])) for name in found]


def _dice_at(
    lungs: LungModel, cases: Sequence[DatasetCase], threshold: float
) -> list[float]:
    predictor = lungs.predictor
    predictor.info = replace(predictor.info, threshold=threshold)
    return [
        dice(overlap(dataset.read_reference(case) > 0, labels > 0))
        for (dataset, case), labels in zip(cases, lungs.label_cases(cases), strict=True)
    ]


def _work(model: str, data: list[Path] | None, split: str) -> Iterator[Work]:
    plan = None if data else _folds_in(model)
    if plan is None:
        yield load_model(find_model(model)), select(open_all(data or []), split).cases
        return
    cases = development_cases(plan.datasets)
    fold_of = draw_folds(cases, folds=plan.folds, seed=plan.config.seed)
    for number in range(1, plan.folds + 1):
        own = [
            case for case, fold in zip(cases, fold_of, strict=True) if fold == number
        ]
        yield load_model(plan.run.fold(number).root), own


def _folds_in(model: str) -> CrossValidation:
    plan = open_cross_validation(Path(model))
    if plan is None:
        msg = f"{model} is no cross-validation. Name prepared data with --data."
        raise ModelError(msg)
    return plan


if __name__ == "__main__":
    typer.run(main)
