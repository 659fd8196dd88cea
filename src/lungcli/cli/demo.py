"""`lungcli demo`: the whole main job on phantoms, without any data."""

from pathlib import Path
from typing import Annotated

import typer

from lungcli.cli.options import AsJson, Seed
from lungcli.cli.output import err, out, plain, print_json, print_paths
from lungcli.cli.progress import progress_bars
from lungcli.cli.training_view import TrainingView


def demo(
    out_folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of everything.", readable=False)
    ] = Path("demo"),
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Try everything on synthetic X-rays, in about two minutes on two cores.

    Draws phantoms with exact masks, then prepares, trains, evaluates and
    visualizes them, saying the command of each step.
    """
    from lungcli.cli.score_tables import print_summary
    from lungcli.workflows import demo as workflow  # loads TensorFlow: seconds

    def announce(step: str) -> None:
        err.print(f"[bold]> {plain(step)}[/bold]", soft_wrap=True, highlight=False)

    with progress_bars() as progress, TrainingView() as view:
        result = workflow.demo(
            out_folder,
            seed=seed,
            progress=progress,
            events=view.events(),
            announce=announce,
        )
    if as_json:
        print_json(
            {
                **result.trained.to_dict(),
                "summary": result.evaluation.summary,
                "paths": [str(path) for path in result.to_open],
            }
        )
        return
    out.print(f"validation Dice {result.trained.best_dice:.4f}", highlight=False)
    print_summary(result.evaluation.summary)
    out.print("to open:")
    print_paths(out, result.to_open)
