"""`lungcli train --folds`: what a person sees of a cross-validation."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from lungcli.cli.output import out, plain, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars
from lungcli.cli.training_view import TrainingView

if TYPE_CHECKING:  # the workflow loads TensorFlow
    from lungcli.workflows.cross_validating.cross_validation import CrossValidation


def show_cross_validation(
    train: "Callable[..., CrossValidation]", *, as_json: bool
) -> None:
    """Run a cross-validation and show its out-of-fold scores.

    Args:
        train: Trains all folds, or those that are missing; takes `events`.
        as_json: Whether stdout gets the summary as JSON, and nothing else; if it was
            stopped, where the run is.

    Raises:
        Exit: With 130, if somebody asked it to stop.
    """
    from lungcli.cli.score_tables import print_summary, print_worst
    from lungcli.workflows.cross_validating.cross_validation import score_out_of_fold

    with TrainingView() as view:
        trained = train(events=view.events())
    root = trained.run.root
    if trained.interrupted:
        if as_json:
            print_json({"run": str(root), "folds": trained.folds, "interrupted": True})
        again = shlex.join(["lungcli", "train", "--resume", "--run", f"{root}"])
        print_note(f"stopped. Go on with: {again}")
        raise typer.Exit(130)
    with progress_bars() as progress:
        evaluation = score_out_of_fold(trained, progress=progress)
    if as_json:
        print_json(evaluation.summary)
        return
    print_summary(evaluation.summary)
    print_worst(evaluation.cases)
    print_paths(out, evaluation.paths)
    first = shlex.join(
        ["lungcli", "evaluate", "--model", f"{trained.run.fold(1).root}"]
    )
    out.print(
        "each case was scored by the network that was not trained on it; runs/latest "
        "is as it was.",
        soft_wrap=True,
    )
    out.print("next: lungcli train --final, on all of these cases")
    out.print(
        f"one fold's network on the test cases: {plain(first)}",
        highlight=False,
        soft_wrap=True,
    )
