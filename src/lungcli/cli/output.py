"""The only two consoles: results go to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from lungcli.files import printable

# Off: a path such as `:x:` is no emoji.
out = Console(emoji=False)
err = Console(stderr=True, emoji=False)


def is_live() -> bool:
    """Tell whether a person watches: stdout and stderr are terminals."""
    return sys.stdout is not None and sys.stdout.isatty() and err.is_terminal


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout, unstyled, so that a program can read it."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def print_paths(console: Console, paths: Iterable[Path]) -> None:
    """Print one path a line, never wrapped, so that it can be copied."""
    for path in paths:
        console.print(f"  {escape(printable(path))}", soft_wrap=True, highlight=False)


def print_note(text: str) -> None:
    """Print what the user should know, though nothing failed."""
    err.print(f"[yellow]note:[/yellow] {escape(printable(text))}", soft_wrap=True)


def print_error(text: str) -> None:
    """Print what failed, in one line."""
    line = printable(text).replace("\n", " ")
    err.print(f"[red]error:[/red] {escape(line)}", soft_wrap=True, highlight=False)
