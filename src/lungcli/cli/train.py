"""`lungcli train`: settings in, one training, a run folder out."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lungcli.cli.cross_validation import show_cross_validation
from lungcli.cli.options import DEFAULT_DATA, AsJson
from lungcli.cli.train_settings import (
    GivenSettings,
    TrainFiles,
    check_resume,
    merge_settings,
    number_of_devices,
    read_settings_file,
)
from lungcli.cli.training_view import show_training
from lungcli.errors import ConfigError
from lungcli.model.config import (
    ARCHITECTURES,
    HEADS,
    KEEPS,
    NORMALIZATIONS,
    PRECISIONS,
    SCHEDULES,
    TrainConfig,
)

_DEFAULT = TrainConfig()


def _setting(explained: str, default: object) -> Any:
    """Return an option that, left out, leaves the choice to file or initial model."""
    return typer.Option(help=explained, show_default=str(default))


def train(
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
        int | None, _setting("Passes over the training cases.", _DEFAULT.epochs)
    ] = None,
    batch_size: Annotated[
        int | None, _setting("Cases per step.", _DEFAULT.batch_size)
    ] = None,
    size: Annotated[
        int | None, _setting("Side in pixels that the network sees.", _DEFAULT.size)
    ] = None,
    arch: Annotated[
        str | None, _setting(f"Network: {' or '.join(ARCHITECTURES)}.", _DEFAULT.arch)
    ] = None,
    filters: Annotated[
        int | None, _setting("Filters of the first level.", _DEFAULT.filters)
    ] = None,
    depth: Annotated[
        int | None, _setting("Number of poolings.", _DEFAULT.depth)
    ] = None,
    normalization: Annotated[
        str | None,
        _setting(
            f"Gray values that the network sees: {' or '.join(NORMALIZATIONS)}.",
            _DEFAULT.normalization,
        ),
    ] = None,
    head: Annotated[
        str | None,
        _setting(f"Last layer of stem-unet: {' or '.join(HEADS)}.", _DEFAULT.head),
    ] = None,
    structures: Annotated[
        str | None,
        _setting("What to draw: lungs, or lungs,heart.", _DEFAULT.structures),
    ] = None,
    learning_rate: Annotated[
        float | None, _setting("Highest learning rate.", _DEFAULT.learning_rate)
    ] = None,
    schedule: Annotated[
        str | None,
        _setting(f"Learning rate: {' or '.join(SCHEDULES)}.", _DEFAULT.schedule),
    ] = None,
    weight_decay: Annotated[
        float | None, _setting("Of AdamW.", _DEFAULT.weight_decay)
    ] = None,
    strength: Annotated[
        float | None, _setting("Of the augmentation; 0 is none.", _DEFAULT.strength)
    ] = None,
    patience: Annotated[
        int | None,
        _setting(
            "Stop after so many epochs without a better Dice; 0 never.",
            _DEFAULT.patience,
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
        _setting(
            f"Numbers of the network: {', '.join(PRECISIONS)}.", _DEFAULT.precision
        ),
    ] = None,
    seed: Annotated[int | None, _setting("Same seed, same run.", _DEFAULT.seed)] = None,
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
    given = GivenSettings(
        arch=arch,
        size=size,
        filters=filters,
        depth=depth,
        normalization=normalization,
        head=head,
        structures=structures,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=schedule,
        weight_decay=weight_decay,
        strength=strength,
        patience=patience,
        keep=keep,
        precision=precision,
        tensorboard=tensorboard,
        seed=seed,
        deterministic=deterministic,
        devices=number_of_devices(devices),
    )
    file = read_settings_file(config)
    files = TrainFiles(
        data=data or (), run=run, init=init, any_convention=any_convention
    ).or_else(file.files)
    if resume:
        others = {
            "data": data,
            "config": config,
            "any_convention": files.any_convention,
            "init": files.init,
            "final": final,
            "folds": folds,
        }
        check_resume(
            [*given.to_dict(), *(name for name, value in others.items() if value)]
        )
        _go_on(files.run, epochs=epochs, devices=given.devices, as_json=as_json)
        return
    settings = merge_settings(given, file, init=files.init, final=final, folds=folds)
    _begin(files, settings, final=final, folds=folds, as_json=as_json)


def _begin(
    files: TrainFiles,
    settings: TrainConfig,
    *,
    final: bool,
    folds: int | None,
    as_json: bool,
) -> None:
    # they load TensorFlow: seconds
    from lungcli.workflows.cross_validating import cross_validation
    from lungcli.workflows.training import train as workflow

    data = files.data or DEFAULT_DATA
    if folds is None:
        show_training(
            partial(
                workflow.train,
                data,
                settings,
                run=files.run,
                final=final,
                any_convention=files.any_convention,
                init=files.init,
            ),
            as_json=as_json,
        )
        return
    show_cross_validation(
        partial(
            cross_validation.cross_validate,
            data,
            settings,
            folds=folds,
            run=files.run,
            any_convention=files.any_convention,
        ),
        as_json=as_json,
    )


def _go_on(
    run: Path | None,
    *,
    epochs: int | None,
    devices: int | str | None,
    as_json: bool,
) -> None:
    from lungcli.workflows.cross_validating import cross_validation
    from lungcli.workflows.training import train as workflow

    begun = cross_validation.open_cross_validation(run)
    if begun is None:
        again = partial(workflow.resume, run, epochs=epochs, devices=devices)
        show_training(again, as_json=as_json)
        return
    if epochs is not None or devices is not None:
        msg = (
            f"{begun.run.root} is a cross-validation: all folds train for the epochs "
            "and on the devices it began with. Leave out --epochs and --devices, or "
            "start a new one."
        )
        raise ConfigError(msg)
    show_cross_validation(partial(cross_validation.go_on, begun), as_json=as_json)
