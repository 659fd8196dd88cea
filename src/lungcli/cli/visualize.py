"""`lungcli visualize`: a model and cases in, pictures out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lungcli.cli.options import DEFAULT_DATA, AnyConvention, AsJson, Data, Model
from lungcli.cli.output import out, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars


class PictureSplit(StrEnum):
    """Part of a prepared data set; `no-mask` are the cases nobody drew on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"
    NO_MASK = "no-mask"


class Panel(StrEnum):
    """A film that --gif writes."""

    ALL = "all"
    PREDICTED = "predicted"
    GOLD = "gold"
    DIFFERENCE = "difference"


def visualize(
    data: Data = DEFAULT_DATA,
    model: Model = None,
    split: Annotated[
        PictureSplit, typer.Option("--split", "-s", help="Cases to draw.")
    ] = PictureSplit.TEST,
    gif: Annotated[
        bool,
        typer.Option(
            "--gif",
            help="Write output.gif: Predicted | Gold Std | Difference, a frame a "
            "case. Without --png this is the default.",
        ),
    ] = False,
    png: Annotated[
        bool, typer.Option("--png", help="Write one overlay with outlines a case.")
    ] = False,
    panels: Annotated[
        list[Panel] | None,
        typer.Option(
            help="Films of --gif: output.gif (all), or one panel alone "
            "(predicted.gif, gold_std.gif, diff.gif); repeat it for several.",
            show_default="all four",
        ),
    ] = None,
    worst: Annotated[
        int,
        typer.Option(help="Only the N cases with the lowest Dice, worst first.", min=0),
    ] = 0,
    case: Annotated[
        list[str] | None,
        typer.Option(help="Only the case of this name; repeat it for several."),
    ] = None,
    side: Annotated[
        int, typer.Option(help="Width of a panel in pixels.", min=64, max=2048)
    ] = 512,
    fps: Annotated[
        float, typer.Option(help="Frames a second of the films.", min=0.1, max=50)
    ] = 10.0,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the pictures.",
            show_default="pictures in the run folder, or here if bundled",
        ),
    ] = None,
    any_convention: AnyConvention = False,
    as_json: AsJson = False,
) -> None:
    """Draw films and overlays of predicted and expert masks.

    The film shows Predicted | Gold Std | Difference, the X-ray dimly behind; blue
    is agreed, vermilion was missed, yellow is extra.
    """
    from lungcli.workflows import visualize as workflow  # loads TensorFlow: seconds

    films = tuple(panel.value for panel in panels or list(Panel))
    settings = workflow.PictureSettings(
        films=films if gif or panels or not png else (),
        overlays=png,
        worst=worst,
        cases=tuple(case or ()),
        side=side,
        fps=fps,
    )
    with progress_bars() as progress:
        paths = workflow.visualize(
            data,
            model,
            settings=settings,
            split=split.value,
            out=out_folder,
            any_convention=any_convention,
            progress=progress,
            announce=print_note,
        )
    if as_json:
        print_json({"paths": [str(path) for path in paths]})
        return
    print_paths(out, paths)
