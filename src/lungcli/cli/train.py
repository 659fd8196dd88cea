"""`lungcli train`: settings in, one training, a run folder out."""

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcli.cli.cross_validation import show_cross_validation
from lungcli.cli.options import DEFAULT_DATA, AsJson
from lungcli.cli.output import out, print_json, print_note, print_paths
from lungcli.cli.train_settings import (
    check_division,
    check_resume,
    number_of_devices,
    read_train_settings,
    take_names,
)
from lungcli.cli.training_view import TrainingView, speed
from lungcli.errors import ConfigError
from lungcli.model.config import (
    ARCHITECTURES,
    HEADS,
    KEEPS,
    NORMALIZATIONS,
    PRECISIONS,
    SCHEDULES,
    TrainConfig,
    read_settings,
)

if TYPE_CHECKING:  # the workflow loads TensorFlow
    from lungcli.workflows.training.events import TrainResult

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
            readable=False,
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
    normalization: Annotated[
        str | None,
        typer.Option(
            help=f"Gray values that the network sees: {' or '.join(NORMALIZATIONS)}.",
            show_default=str(_DEFAULT.normalization),
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            help=f"Last layer of stem-unet: {' or '.join(HEADS)}.",
            show_default=str(_DEFAULT.head),
        ),
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
    keep: Annotated[
        str | None,
        typer.Option(
            help=f"Weights to keep: of the {' or '.join(KEEPS)} epoch.",
            show_default=f"{_DEFAULT.keep}; last with --final and --folds",
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
    deterministic: Annotated[
        bool | None,
        typer.Option(
            "--deterministic",
            help="Same seed, same weights to the last bit on this machine's GPU, too; "
            "slower. On a processor it is always so.",
        ),
    ] = None,
    devices: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="Divide each batch among so many GPUs; needs JAX.",
            show_default=str(_DEFAULT.devices),
        ),
    ] = None,
    tensorboard: Annotated[
        bool | None,
        typer.Option("--tensorboard", help="Write a TensorBoard log."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run.", show_default="runs/<time>-<data>", readable=False
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a stopped run: the latest, or --run."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with settings; options win.", readable=False),
    ] = None,
    final: Annotated[
        bool,
        typer.Option(
            "--final", help="Train on the validation cases too, for a network to use."
        ),
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Cross-validate: train so many networks on the training and "
            "validation cases, and score each case by the one that never saw it."
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|bundled",
            help="Begin with the weights of a run, or of a model that came with "
            "lungcli (bundled, bundled-tiny); takes over its size, and all that "
            "its network is built from.",
        ),
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
    params = {**ctx.params, "devices": number_of_devices(devices)}
    given = {
        name: params[name] for name in _DEFAULT.to_dict() if params[name] is not None
    }
    in_file = read_settings(config) if config else {}
    named = take_names(in_file, config)
    folders = data or named.data or DEFAULT_DATA
    run = run or named.run
    any_convention = any_convention or named.any_convention
    init = init or named.init
    if resume:
        others = {
            "data": data,
            "config": config,
            "any_convention": any_convention,
            "init": init,
            "final": final,
            "folds": folds,
        }
        check_resume([*given, *(name for name, value in others.items() if value)])
        _go_on(run, epochs, params["devices"], as_json=as_json)
        return
    where = str(config) if config else "train"
    check_division({**in_file, **given}, final=final, folds=folds, init=init)
    settings = read_train_settings({**in_file, **given}, init, where)

    # they load TensorFlow: seconds
    from lungcli.workflows.cross_validating import cross_validation
    from lungcli.workflows.training import train as workflow

    if folds is None:
        train_one = partial(workflow.train, final=final, init=init)
        _show_training(
            partial(
                train_one, folders, settings, run=run, any_convention=any_convention
            ),
            as_json=as_json,
        )
        return
    train_all = partial(cross_validation.cross_validate, folds=folds)
    show_cross_validation(
        partial(train_all, folders, settings, run=run, any_convention=any_convention),
        as_json=as_json,
    )


def _go_on(
    run: Path | None,
    epochs: int | None,
    devices: int | str | None,
    *,
    as_json: bool,
) -> None:
    from lungcli.workflows.cross_validating import cross_validation
    from lungcli.workflows.training import train as workflow

    begun = cross_validation.open_cross_validation(run)
    if begun is None:
        again = partial(workflow.resume, run, epochs=epochs, devices=devices)
        _show_training(again, as_json=as_json)
        return
    if epochs is not None or devices is not None:
        msg = (
            f"{begun.run.root} is a cross-validation: all folds train for the epochs "
            "and on the devices it began with. Leave out --epochs and --devices, or "
            "start a new one."
        )
        raise ConfigError(msg)
    show_cross_validation(partial(cross_validation.go_on, begun), as_json=as_json)


def _show_training(train: "Callable[..., TrainResult]", *, as_json: bool) -> None:
    with TrainingView() as view:
        result = train(events=view.events())
    if as_json:
        print_json(result.to_dict())
    elif result.history:
        _show(result)
    for doubt in result.doubts:
        print_note(doubt)
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


def _show(result: "TrainResult") -> None:
    if result.keep == "last":
        out.print(
            f"validation Dice [bold]{result.kept_dice:.4f}[/bold] in the last epoch, "
            "whose weights were kept"
        )
    else:
        out.print(
            f"best validation Dice [bold]{result.best_dice:.4f}[/bold] "
            f"in epoch {result.best_epoch}"
        )
    if line := speed(result):
        out.print(line, highlight=False, soft_wrap=True)
    print_paths(out, result.files)
    out.print("next: lungcli evaluate, lungcli visualize --gif")
