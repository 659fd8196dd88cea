"""What was asked of `lungcli train`, by options and by a file, checked together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig


def read_train_settings(
    settings: Mapping[str, Any], init: str | None, where: str
) -> TrainConfig:
    """Return the settings; the initial model, if any, decides what is not set."""
    if init is None:
        return TrainConfig.from_dict(settings, where=where)
    from lungcli.workflows.training.fine_tuning import settings_from

    return settings_from(init, settings, where=where)


def check_resume(names: Sequence[str]) -> None:
    """Refuse what would silently be ignored.

    Raises:
        ConfigError: If anything but the number of epochs or devices is set.
    """
    extra = sorted(set(names) - {"epochs", "devices"})
    if extra:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in extra)
        msg = (
            f"--resume goes on with the run's own settings; {flags} cannot change "
            "them. Only --epochs and --devices can. Leave it out, or start a new run."
        )
        raise ConfigError(msg)


def number_of_devices(value: str | None) -> int | str | None:
    """Return a number as one; the settings refuse what is neither that nor `all`."""
    return int(value) if value is not None and value.isdecimal() else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a file of settings names that is no setting of the training itself."""

    data: list[Path]
    run: Path | None
    init: str | None
    any_convention: bool


def take_names(settings: dict[str, Any], config: Path | None) -> Names:
    """Take data, run, init and any_convention out of the settings of a file.

    Raises:
        ConfigError: If one of them is of another kind.
    """
    init = settings.pop("init", None)
    if init is not None and not isinstance(init, str):
        msg = f"{config}: init must be a run or a bundled network, got {init!r}."
        raise ConfigError(msg)
    any_convention = settings.pop("any_convention", False)
    if not isinstance(any_convention, bool):
        msg = f"{config}: any-convention must be true or false, got {any_convention!r}."
        raise ConfigError(msg)
    return Names(
        data=_paths(settings.pop("data", []), config),
        run=next(iter(_paths(settings.pop("run", []), config)), None),
        init=init,
        any_convention=any_convention,
    )


def _paths(value: object, config: Path | None) -> list[Path]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        msg = (
            f"{config}: data and run must be a path or a list of paths, got {value!r}."
        )
        raise ConfigError(msg)
    return [Path(v) for v in values]


def check_division(
    settings: Mapping[str, Any], *, final: bool, folds: int | None, init: str | None
) -> None:
    """Refuse options that contradict each other.

    Args:
        settings: What was set, names to values.
        final: Whether to train on the validation cases too.
        folds: Folds of a cross-validation; None if it is none.
        init: Network to begin with.

    Raises:
        ConfigError: With the remedy.
    """
    if final and folds is not None:
        msg = "--final holds no fold out. Take --final or --folds, not both."
        raise ConfigError(msg)
    if folds is not None and init:
        msg = (
            "--folds begins with random weights: what --init names may have seen the "
            "cases that are held out. Leave one of them out."
        )
        raise ConfigError(msg)
    if (final or folds is not None) and settings.get("keep") == "best":
        msg = (
            "--final and --folds keep the weights of the last epoch, since no other "
            "cases are left to choose one by. Leave out keep best."
        )
        raise ConfigError(msg)
