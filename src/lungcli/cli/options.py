"""Options that several commands share, so that they read the same everywhere.

That a file exists and may be read is checked in the workflows (exit status 1, with a
remedy), not by Typer (`exists=True` and `readable=True`, which is its default: exit
status 2, usage).
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lungcli.errors import ConfigError

_DATA = typer.Option(
    "--data",
    "-d",
    help="Folder written by 'lungcli prepare'; repeat it for several.",
    show_default="prepared",
    readable=False,
)
Data = Annotated[list[Path], _DATA]
DataIfGiven = Annotated[list[Path] | None, _DATA]
# A string, not a path: `bundled` is a name, `./bundled` a folder.
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="RUN|bundled",
        help="Run folder of 'lungcli train', or a model that came with lungcli: "
        "bundled, or bundled-tiny, which is faster.",
        show_default="runs/latest; bundled where there is none",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="RUN|bundled",
        help="Run folder of 'lungcli train', or a model that came with lungcli "
        "(bundled, bundled-tiny); name several to compare them.",
        show_default="runs/latest; bundled where there is none",
    ),
]
ModelOfPredict = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="RUN|bundled",
        help="Run folder of 'lungcli train', or a model that came with lungcli: "
        "bundled, or bundled-tiny, which is faster.",
        show_default="bundled",
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


def _check_cluster(address: str | None) -> str | None:
    """Refuse what is no address before anything is read."""
    if address is None:
        return None
    from lungcli.workflows.shared.ray_session import check_address

    try:
        return check_address(address)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error


Cluster = Annotated[
    str | None,
    typer.Option(
        callback=_check_cluster,
        metavar="local|auto|ray://HOST:PORT",
        help="Spread the work over a Ray cluster; local starts one on this machine.",
        show_default="this machine, without Ray",
    ),
]


class Split(StrEnum):
    """Part of a prepared data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    ALL = "all"


_SPLIT = typer.Option("--split", "-s", help="Cases to take.", show_default="test")
SplitOption = Annotated[Split, _SPLIT]
SplitIfGiven = Annotated[Split | None, _SPLIT]

DEFAULT_DATA = [Path("prepared")]
