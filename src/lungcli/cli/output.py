"""The only two consoles: results go to stdout, everything else to stderr."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from lungcli.system.files import printable
from lungcli.system.urls import Url


class _Messages(Console):
    """A console that nothing depends on: no work is lost because a log is full."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, if there is room."""
        with suppress(OSError):  # a broken pipe is no OSError here: Rich ends then
            super().print(*objects, **options)


# Off: a path such as `:x:` is no emoji.
out = Console(emoji=False)
err = _Messages(stderr=True, emoji=False)


def is_live() -> bool:
    """Tell whether a person watches: stdout and stderr are terminals."""
    return sys.stdout is not None and sys.stdout.isatty() and err.is_terminal


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout, unstyled, so that a program can read it."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def plain(text: str | Path | Url) -> str:
    """Return text that Rich shows as it is, whoever named what it is about."""
    return escape(printable(str(text)))


def print_paths(console: Console, paths: Iterable[Path | Url]) -> None:
    """Print one path a line, never wrapped, so that it can be copied."""
    for path in paths:
        console.print(f"  {plain(path)}", soft_wrap=True, highlight=False)


def print_note(text: str) -> None:
    """Print what the user should know, though nothing failed."""
    err.print(f"[yellow]note:[/yellow] {plain(text)}", soft_wrap=True)


def print_error(text: str) -> None:
    """Print what failed, in one line."""
    line = text.replace("\n", " ")
    err.print(f"[red]error:[/red] {plain(line)}", soft_wrap=True, highlight=False)


def flush_output() -> bool:
    """Write out what stdout still holds; say so if it cannot be written.

    Python would do so at its very end, and show a traceback.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        with suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print_error(f"cannot write to the standard output ({error.strerror}).")
        return False
    return True


def count_cases(number: int) -> str:
    """Return `1 case` or `2 cases`."""
    return f"{number} case{'' if number == 1 else 's'}"
