"""`lungcli train`: settings in, one training, a run folder out."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcli.cli.options import DEFAULT_DATA, AsJson
from lungcli.cli.output import out, print_json, print_note, print_paths
from lungcli.cli.training_view import TrainingView
from lungcli.config import (
    ARCHITECTURES,
    PRECISIONS,
    SCHEDULES,
    TrainConfig,
    read_settings,
)
from lungcli.errors import ConfigError

if TYPE_CHECKING:  # the workflow loads TensorFlow
    from lungcli.workflows.training import TrainResult

_DEFAULT = TrainConfig()


def train(
    ctx: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            "-d",
            help="Folder written by 'lungcli prepare'; repeat it to train one "
            "network on several.",
            show_default="prepared",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the training cases.", show_default=str(_DEFAULT.epochs)
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Cases per step.", show_default=str(_DEFAULT.batch_size)),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Side in pixels that the network sees.",
            show_default=str(_DEFAULT.size),
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            help=f"Network: {' or '.join(ARCHITECTURES)}.",
            show_default=str(_DEFAULT.arch),
        ),
    ] = None,
    filters: Annotated[
        int | None,
        typer.Option(
            help="Filters of the first level.", show_default=str(_DEFAULT.filters)
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Number of poolings.", show_default=str(_DEFAULT.depth)),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Highest learning rate.", show_default=str(_DEFAULT.learning_rate)
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help=f"Learning rate: {' or '.join(SCHEDULES)}.",
            show_default=str(_DEFAULT.schedule),
        ),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(help="Of AdamW.", show_default=str(_DEFAULT.weight_decay)),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            help="Of the augmentation; 0 is none.", show_default=str(_DEFAULT.strength)
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after so many epochs without a better Dice; 0 never.",
            show_default=str(_DEFAULT.patience),
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help=f"Numbers of the network: {', '.join(PRECISIONS)}.",
            show_default=str(_DEFAULT.precision),
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Same seed, same run.", show_default=str(_DEFAULT.seed)),
    ] = None,
    tensorboard: Annotated[
        bool | None,
        typer.Option("--tensorboard", help="Write a TensorBoard log."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of the run.", show_default="runs/<time>-<data>"),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a stopped run: the latest, or --run."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with any of these settings; options win."),
    ] = None,
    any_convention: Annotated[
        bool,
        typer.Option("--any-convention", help="Mix masks with and without the heart."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a U-Net on prepared data.

    Leaves a run folder with the best weights, history.csv, curves.png and
    evolution.gif; runs/latest points to it. Ctrl-C ends cleanly, --resume goes on.
    """
    given = {
        name: ctx.params[name]
        for name in _DEFAULT.to_dict()
        if ctx.params[name] is not None
    }
    in_file = read_settings(config) if config else {}
    folders = data or _paths(in_file.pop("data", []), config) or DEFAULT_DATA
    run = run or next(iter(_paths(in_file.pop("run", []), config)), None)
    any_convention = any_convention or in_file.pop("any_convention", False) is True
    if resume:
        others = {"data": data, "config": config, "any_convention": any_convention}
        _check_resume([*given, *(name for name, value in others.items() if value)])
    else:
        where = str(config) if config else "train"
        settings = TrainConfig.from_dict({**in_file, **given}, where=where)

    from lungcli.workflows import train as workflow  # loads TensorFlow: seconds

    with TrainingView() as view:
        events = view.events()
        if resume:
            result = workflow.resume(run, epochs=epochs, events=events)
        else:
            result = workflow.train(
                folders,
                settings,
                run=run,
                any_convention=any_convention,
                events=events,
            )
    if as_json:
        print_json(result.to_dict())
    elif result.history:
        _show(result)
    if result.interrupted:
        again = shlex.join(
            ["lungcli", "train", "--resume", "--run", f"{result.run.root}"]
        )
        print_note(f"stopped after epoch {len(result.history)}. Go on with: {again}")
        raise typer.Exit(130)
    if len(result.history) < result.epochs:
        print_note(
            f"stopped early, after epoch {len(result.history)}: the validation Dice "
            "did not get better."
        )


def _check_resume(names: Sequence[str]) -> None:
    """Refuse what would silently be ignored.

    Raises:
        ConfigError: If anything but the number of epochs is set.
    """
    extra = sorted(set(names) - {"epochs"})
    if extra:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in extra)
        msg = (
            f"--resume goes on with the run's own settings; {flags} cannot change "
            "them. Only --epochs can. Leave it out, or start a new run."
        )
        raise ConfigError(msg)


def _paths(value: object, config: Path | None) -> list[Path]:
    """Return the path or paths of a setting in the file."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        msg = (
            f"{config}: data and run must be a path or a list of paths, got {value!r}."
        )
        raise ConfigError(msg)
    return [Path(v) for v in values]


def _show(result: "TrainResult") -> None:
    out.print(
        f"best validation Dice [bold]{result.best_dice:.4f}[/bold] "
        f"in epoch {result.best_epoch}"
    )
    print_paths(out, result.files)
    out.print("next: lungcli evaluate, lungcli visualize --gif")
