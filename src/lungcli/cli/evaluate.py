"""`lungcli evaluate`: a model, several, or masks, and cases in; scores out."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcli.cli.options import (
    DEFAULT_DATA,
    AnyConvention,
    AsJson,
    DataIfGiven,
    Models,
    Seed,
    Split,
    SplitIfGiven,
)
from lungcli.cli.output import out, print_error, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars
from lungcli.errors import ConfigError
from lungcli.workflows.evaluating.outputs import EvaluationOutputs, FigureFormat

if TYPE_CHECKING:  # the workflows take their time to load
    from lungcli.workflows.evaluating.scoring import ScoreSettings
    from lungcli.workflows.evaluating.writer import Evaluation

_SOME_FAILED = 3


_Predicted = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Score the masks in a folder, of any tool or reader, not a model.",
        readable=False,
    ),
]
_Reference = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="With --predicted: folder of reference masks instead of --data.",
        readable=False,
    ),
]
_Images = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="With --reference: folder of the X-rays, for the report.",
        readable=False,
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="Folder of the results.",
        show_default="evaluation[/<split>] in the run folder, or here if bundled; "
        "comparison for several models; evaluation/<name> for masks",
        readable=False,
    ),
]
_Tolerance = Annotated[
    str,
    typer.Option(
        help="How far an outline may be off for the surface Dice (NSD): 2mm, 3px "
        "or 0.5% of the image diagonal.",
    ),
]
_Failure = Annotated[
    float,
    typer.Option(help="A case with a lower Dice counts as failed.", min=0, max=1),
]
_Report = Annotated[
    bool,
    typer.Option(
        "--report/--no-report", help="Write report.html, a page to look through."
    ),
]
_Figures = Annotated[
    list[FigureFormat] | None,
    typer.Option(help="Draw the figures as well; repeat it for several formats."),
]


def evaluate(
    data: DataIfGiven = None,
    model: Models = None,
    split: SplitIfGiven = None,
    predicted: _Predicted = None,
    reference: _Reference = None,
    images: _Images = None,
    out_folder: _Out = None,
    tolerance: _Tolerance = "0.5%",
    failure: _Failure = 0.9,
    report: _Report = True,
    figures: _Figures = None,
    seed: Seed = 0,
    any_convention: AnyConvention = False,
    as_json: AsJson = False,
) -> None:
    """Score a model: Dice, HD95 and more, with intervals, and a report to browse.

    Every case is scored at its original resolution against the untouched
    reference: both lungs together, the right and the left lung. Name several
    models to compare them, or --predicted to score masks made elsewhere.
    """
    _check_usage(model, predicted, reference, images, data, split)
    from lungcli.metrics.scores import Tolerance
    from lungcli.workflows.evaluating.scoring import ScoreSettings

    try:
        settings = ScoreSettings(
            tolerance=Tolerance.parse(tolerance), failure_dice=failure, seed=seed
        )
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    request = _Request(
        data=tuple(data or DEFAULT_DATA),
        settings=settings,
        outputs=EvaluationOutputs(report=report, figures=tuple(figures or ())),
        split=(split or Split.TEST).value,
        folder=out_folder,
        any_convention=any_convention,
        as_json=as_json,
    )
    if predicted is not None:
        _evaluate_masks(request, predicted, reference, images)
    elif model is not None and len(model) > 1:
        _compare_models(request, model)
    else:
        _evaluate_model(request, model[0] if model else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What all three kinds of evaluation share."""

    data: tuple[Path, ...]
    settings: "ScoreSettings"
    outputs: EvaluationOutputs
    split: str
    folder: Path | None
    any_convention: bool
    as_json: bool


def _check_usage(
    model: list[str] | None,
    predicted: Path | None,
    reference: Path | None,
    images: Path | None,
    data: list[Path] | None,
    split: Split | None,
) -> None:
    """Refuse options that contradict each other, before anything is loaded.

    Raises:
        BadParameter: If two of them do.
    """
    problems = (
        (predicted and model, "--predicted scores masks: leave out --model"),
        (reference and not predicted, "--reference needs --predicted"),
        (reference and data, "--reference stands in for --data: leave one out"),
        (reference and split, "--reference has no splits: leave out --split"),
        (images and not reference, "--images belongs to --reference"),
    )
    for wrong, what in problems:
        if wrong:
            msg = f"{what}."
            raise typer.BadParameter(msg)


def _evaluate_model(request: _Request, model: str | None) -> None:
    from lungcli.workflows.evaluating.evaluate import evaluate as workflow

    with progress_bars() as progress:
        evaluation = workflow(
            request.data,
            model,
            settings=request.settings,
            outputs=request.outputs,
            split=request.split,
            out=request.folder,
            any_convention=request.any_convention,
            progress=progress,
            announce=print_note,
        )
    _show(evaluation, as_json=request.as_json)


def _compare_models(request: _Request, models: list[str]) -> None:
    from lungcli.cli.score_tables import print_comparison
    from lungcli.workflows.evaluating.compare import compare_models

    with progress_bars() as progress:
        comparison = compare_models(
            request.data,
            models,
            settings=request.settings,
            outputs=request.outputs,
            split=request.split,
            out=request.folder,
            any_convention=request.any_convention,
            progress=progress,
        )
    for name, evaluation in comparison.evaluations.items():
        for note in evaluation.notes:
            print_note(f"{name}: {note}")
    if request.as_json:
        print_json(comparison.to_dict())
        return
    print_comparison(comparison)
    print_paths(out, comparison.paths)
    for evaluation in comparison.evaluations.values():
        print_paths(out, evaluation.paths)


def _evaluate_masks(
    request: _Request, predicted: Path, reference: Path | None, images: Path | None
) -> None:
    from lungcli.workflows.evaluating.evaluate_masks import evaluate_masks

    with progress_bars() as progress:
        result = evaluate_masks(
            predicted,
            data=request.data,
            reference=reference,
            images=images,
            settings=request.settings,
            outputs=request.outputs,
            split=request.split,
            out=request.folder,
            progress=progress,
        )
    for failure in result.failed:
        print_error(failure)
    _show(result.evaluation, as_json=request.as_json)
    if result.failed or result.missing:
        raise typer.Exit(_SOME_FAILED)


def _show(evaluation: "Evaluation", *, as_json: bool) -> None:
    from lungcli.cli.score_tables import print_summary, print_worst

    for note in evaluation.notes:
        print_note(note)
    if as_json:
        print_json(evaluation.summary)
        return
    print_summary(evaluation.summary)
    print_worst(evaluation.cases)
    print_paths(out, evaluation.paths)
