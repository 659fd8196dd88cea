"""Print all that `import lungcli` offers, and what the bundled models answer."""

import inspect
from typing import Any

import typer

import lungcli


def show(name: str, value: Any) -> None:
    """Print what something public is, its docstring and its parameters."""
    typer.echo(f"{name} {type(value).__name__}\n{inspect.getdoc(value)}")
    for p in _parameters(value):
        default = "" if p.default is p.empty else repr(p.default)
        shown = "" if " at 0x" in default else default
        typer.echo(f"    {p.kind.description} {p.name} {shown}")


def _parameters(value: Any) -> list[inspect.Parameter]:
    """Return those of a function or class; exceptions and constants have none."""
    try:
        return list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return []


if __name__ == "__main__":
    typer.echo(f"{lungcli.__doc__} {lungcli.__all__} {dir(lungcli)}")
    for public in lungcli.__all__:
        thing = getattr(lungcli, public)
        show(public, thing)
        members = sorted(vars(thing).items()) if inspect.isclass(thing) else ()
        for member, function in members:
            if not member.startswith("_") and callable(function):
                show(f"{public}.{member}", function)
    xray = lungcli.draw_phantom(seed=1, size=96).image
    for model in ("bundled", "bundled-tiny"):
        labels = lungcli.load_model(model).label_image(xray)
        typer.echo(f"{labels.shape} {labels.dtype} {labels.tobytes().hex()}")
