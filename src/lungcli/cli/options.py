"""Options that several commands share, so that they read the same everywhere.

That a file exists is checked in the workflows (exit status 1, with a remedy), not by
Typer's `exists=True` (exit status 2, usage).
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    list[Path],
    typer.Option(
        "--data",
        "-d",
        help="Folder written by 'lungcli prepare'; repeat it for several.",
        show_default="prepared",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="Run folder of 'lungcli train'.",
        show_default="runs/latest",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout instead.")
]
AnyConvention = Annotated[
    bool,
    typer.Option(
        "--any-convention",
        help="Compare a model and masks that count the heart differently.",
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same result.", min=0)]


class Split(StrEnum):
    """Part of a prepared data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


SplitOption = Annotated[Split, typer.Option("--split", "-s", help="Cases to take.")]

DEFAULT_DATA = [Path("prepared")]
