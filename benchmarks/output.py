"""What the benchmarks print, and the options they share."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

import machine

Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        "-d",
        help="Folder written by 'lungcli prepare'; repeat it for several.",
        show_default="phantoms",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on stdout; the tables go to stderr."
    ),
]


class Device(StrEnum):
    """What to measure on."""

    AUTO = "auto"
    CPU = machine.CPU
    CUDA = machine.CUDA


DeviceOption = Annotated[
    Device, typer.Option(help="auto: the processor and, if there is one, CUDA.")
]


def open_console(*, as_json: bool) -> Console:
    """Return where tables go: stdout, unless that is for JSON."""
    return Console(stderr=as_json, emoji=False, highlight=False)


def print_document(benchmark: str, figures: Mapping[str, Any]) -> None:
    """Print the figures and the machine they are from as JSON."""
    document = {"benchmark": benchmark, "machine": machine.describe(), **figures}
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def stop(reason: str) -> NoReturn:
    """End with one line that says why.

    Raises:
        Exit: Always, with status 1.
    """
    typer.echo(f"error: {reason}", err=True)
    raise typer.Exit(1)
