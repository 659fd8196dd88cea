"""`lungcli merge`: parts of a prediction in, the whole of it out."""

from typing import Annotated

import typer

from lungcli.cli.options import AsJson
from lungcli.cli.output import print_json
from lungcli.cli.predict import exit_by_labels, show_predictions
from lungcli.cli.progress import progress_bars


def merge(
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PART...", help="Folders that 'predict --shard' has written."
        ),
    ],
    out_folder: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of all that is written.",
            show_default="the only PART, or masks",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Join the parts of 'predict --shard I/N' to what one run would have written."""
    from lungcli.workflows.merging import merge as workflow

    with progress_bars() as progress:
        predictions = workflow.merge(
            parts, out=out_folder, collect=as_json, progress=progress
        )
    if as_json:
        print_json(predictions.to_dict())
    else:
        show_predictions(predictions)
    exit_by_labels(predictions)
