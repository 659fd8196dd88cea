"""`lungcli info`: nothing in, the state of the installation out."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from lungcli.cli.options import AsJson
from lungcli.cli.output import out, plain, print_json
from lungcli.errors import ConfigError
from lungcli.system.files import printable


def info(as_json: AsJson = False) -> None:
    """Show versions, hardware, and where models, runs and caches are.

    With --json it is made for a bug report: the home folder is written as ~.
    """
    from lungcli.workflows import info as workflow  # loads TensorFlow: seconds

    found = workflow.info()
    if as_json:
        print_json(found.to_dict())
    else:
        table = Table(show_header=False)
        table.add_column("name", no_wrap=True)
        table.add_column("value", overflow="fold")
        for title, values in found.sections.items():
            _add_section(table, title, values)
        out.print(table)
    if found.problem:
        raise ConfigError(found.problem)


def _add_section(table: Table, title: str, values: Mapping[str, Any]) -> None:
    table.add_row(f"[bold]{title}[/bold]", "" if values else "-")
    for name, value in values.items():
        label = name if title == "environment" else name.replace("_", " ")
        table.add_row(f"  {plain(label)}", plain(_text(value)))
    table.add_section()


def _text(value: object) -> str:
    """Return a value as people read it; a dash if there is none."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else printable(str(value))
