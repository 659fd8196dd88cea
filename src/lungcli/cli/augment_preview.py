"""`lungcli augment-preview`: cases in, what training sees out."""

from pathlib import Path
from typing import Annotated

import typer

from lungcli.cli.options import DEFAULT_DATA, AsJson, Data, Seed
from lungcli.cli.output import out, print_json, print_paths
from lungcli.model.config import TrainConfig


def augment_preview(
    data: Data = DEFAULT_DATA,
    case: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a case; repeat it for several.",
            show_default="four training cases",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Versions a case.", min=1, max=50)] = 6,
    strength: Annotated[
        float, typer.Option(help="As in 'train'; 0 changes nothing.", min=0.0)
    ] = TrainConfig().strength,
    seed: Seed = 0,
    gif: Annotated[
        bool, typer.Option("--gif", help="Write an animation too, a draw a frame.")
    ] = False,
    out_folder: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder of the pictures.", readable=False),
    ] = Path("augment-preview"),
    as_json: AsJson = False,
) -> None:
    """Show what training sees: originals beside random versions, lungs outlined.

    The versions come from the very layer that training uses.
    """
    # loads TensorFlow: seconds
    from lungcli.workflows.previewing import augment_preview as workflow

    paths = workflow.augment_preview(
        data,
        cases=case or (),
        draws=draws,
        strength=strength,
        seed=seed,
        out=out_folder,
        gif=gif,
    )
    if as_json:
        print_json({"paths": [str(path) for path in paths]})
        return
    print_paths(out, paths)
