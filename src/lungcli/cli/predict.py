"""`lungcli predict`: X-ray files in, label maps out."""

from pathlib import Path
from typing import Annotated

import typer

from lungcli.cli.options import AsJson, ModelOfPredict
from lungcli.cli.output import out, print_error, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars

_SOME_FAILED = 3
_ALL_FAILED = 1


def predict(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Image files, or folders of them."),
    ],
    model: ModelOfPredict = None,
    out_folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the label maps.")
    ] = Path("masks"),
    overlay: Annotated[
        bool,
        typer.Option(
            "--overlay", help="Write <name>_overlay.png too: the lungs outlined."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the lung masks of any X-rays; needs no training and no prepared data.

    Label maps are gray PNGs of the image's own size: 0 background, 1 the patient's
    right lung, 2 left (nearly black to the eye: --overlay is for people).
    """
    from lungcli.workflows import predict as workflow  # loads TensorFlow: seconds

    with progress_bars() as progress:
        predictions = workflow.predict(
            inputs,
            model,
            out=out_folder,
            overlay=overlay,
            progress=progress,
            announce=print_note,
        )
    failed = [prediction for prediction in predictions if prediction.error]
    for prediction in failed:
        print_error(prediction.error)
    if as_json:
        print_json({"files": [prediction.to_dict() for prediction in predictions]})
    else:
        done = len(predictions) - len(failed)
        out.print(f"{done} of {len(predictions)} images labelled")
        print_paths(out, [out_folder] if done else [])
    if failed:
        everything = len(failed) == len(predictions)
        raise typer.Exit(_ALL_FAILED if everything else _SOME_FAILED)
