"""`lungcli visualize`: a model and cases in, pictures out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lungcli.cli.options import DEFAULT_DATA, AnyConvention, AsJson, Data, Model
from lungcli.cli.output import out as console
from lungcli.cli.output import print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars
from lungcli.workflows.drawing.films import Film

PICTURES = "Pictures"
CASES = "Cases"
LOOKS = "Looks"


class PictureSplit(StrEnum):
    """Part of a prepared data set; `no-mask` are the cases nobody drew on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"
    NO_MASK = "no-mask"


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
            help="Films: Predicted | Gold Std | Difference, a frame a case. The "
            "default if no other picture is asked for.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    png: Annotated[
        bool,
        typer.Option(
            "--png",
            help="One overlay with outlines a case, in overlays/.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    grid: Annotated[
        bool,
        typer.Option(
            "--grid",
            help="Contact sheet grid.png: outlines and Dice, the lowest first.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    uncertainty: Annotated[
        bool,
        typer.Option(
            "--uncertainty",
            help="One heat map of the network's doubt a case, in uncertainty/.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    worst: Annotated[
        int,
        typer.Option(
            help="Only the N cases with the lowest Dice, worst first.",
            min=0,
            rich_help_panel=CASES,
        ),
    ] = 0,
    random: Annotated[
        int,
        typer.Option(help="Only N cases drawn by lot.", min=0, rich_help_panel=CASES),
    ] = 0,
    seed: Annotated[
        int,
        typer.Option(
            help="Of --random: same seed, same cases.", min=0, rich_help_panel=CASES
        ),
    ] = 0,
    case: Annotated[
        list[str] | None,
        typer.Option(
            help="Only the case of this name; repeat it for several.",
            rich_help_panel=CASES,
        ),
    ] = None,
    panels: Annotated[
        list[Film] | None,
        typer.Option(
            help="Films to write: output.gif (all), or one panel alone "
            "(predicted.gif, gold_std.gif, diff.gif); repeat it for several.",
            show_default="all four; all in a film of --out",
            rich_help_panel=LOOKS,
        ),
    ] = None,
    side: Annotated[
        int,
        typer.Option(
            help="Width of a panel in pixels; a tile of --grid has half of it.",
            min=64,
            max=2048,
            rich_help_panel=LOOKS,
        ),
    ] = 512,
    fps: Annotated[
        float,
        typer.Option(
            help="Frames a second of the films; 0.5 shows each for two seconds.",
            min=0.1,
            max=50,
            rich_help_panel=LOOKS,
        ),
    ] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the pictures; or one film: FILE.gif, .webp, .apng, .png or "
            ".mp4.",
            show_default="pictures in the run folder, or here if bundled",
            readable=False,
        ),
    ] = None,
    any_convention: AnyConvention = False,
    as_json: AsJson = False,
) -> None:
    """Draw films, overlays, sheets and heat maps of predicted and expert masks.

    The film shows Predicted | Gold Std | Difference, the X-ray dimly behind; blue
    is agreed, vermilion was missed, yellow is extra.
    """
    from lungcli.workflows.drawing import visualize as workflow  # takes a moment
    from lungcli.workflows.shared.sampling import Sample

    one_film = workflow.names_a_film(out)
    wanted = panels or ([Film.ALL] if one_film else list(Film))
    films = gif or panels or one_film or not (png or grid or uncertainty)
    settings = workflow.PictureSettings(
        films=tuple(wanted) if films else (),
        overlays=png,
        grid=grid,
        uncertainty=uncertainty,
        sample=Sample(cases=tuple(case or ()), worst=worst, random=random, seed=seed),
        side=side,
        fps=fps,
    )
    with progress_bars() as progress:
        paths = workflow.visualize(
            data,
            model,
            settings=settings,
            split=split.value,
            out=out,
            any_convention=any_convention,
            progress=progress,
            announce=print_note,
        )
    if as_json:
        print_json({"paths": [str(path) for path in paths]})
        return
    print_paths(console, paths)
