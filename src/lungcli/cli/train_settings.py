"""What was asked of `lungcli train`, by options and by a file, checked together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig
from lungcli.model.settings_file import read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSettings:
    """The settings, as in `TrainConfig`, that options give; None where one does not."""

    arch: str | None = None
    size: int | None = None
    filters: int | None = None
    depth: int | None = None
    normalization: str | None = None
    head: str | None = None
    structures: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    schedule: str | None = None
    weight_decay: float | None = None
    strength: float | None = None
    patience: int | None = None
    keep: str | None = None
    precision: str | None = None
    tensorboard: bool | None = None
    seed: int | None = None
    deterministic: bool | None = None
    devices: int | str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what is given, names to values."""
        return {k: value for k, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainFiles:
    """What a training reads and where it writes; all of it may be left open.

    Attributes:
        data: Prepared data sets.
        run: Folder of the run.
        init: Network to begin with.
        any_convention: Whether masks with and without heart may be mixed.
    """

    data: Sequence[Path] = ()
    run: Path | None = None
    init: str | None = None
    any_convention: bool = False

    def or_else(self, other: Self) -> Self:
        """Return this, and the other's where this leaves something open."""
        return type(self)(
            data=self.data or other.data,
            run=self.run or other.run,
            init=self.init or other.init,
            any_convention=self.any_convention or other.any_convention,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """What a file of settings says.

    Attributes:
        settings: Names to values, as yet unchecked.
        files: What it names besides.
        where: What messages blame for the settings.
    """

    settings: dict[str, Any]
    files: TrainFiles
    where: str


def read_settings_file(path: Path | None) -> SettingsFile:
    """Return what a file of settings says; without one, nothing.

    Raises:
        ConfigError: If it is missing or no TOML, or data, run, init or any_convention
            is of another kind.
    """
    if path is None:
        return SettingsFile(settings={}, files=TrainFiles(), where="train")
    settings = read_settings(path)
    files = _take_files(settings, path)
    return SettingsFile(settings=settings, files=files, where=str(path))


def merge_settings(
    given: GivenSettings,
    file: SettingsFile,
    *,
    init: str | None = None,
    final: bool = False,
    folds: int | None = None,
) -> TrainConfig:
    """Return the settings: of options, else the file, else the initial model.

    Args:
        given: By options.
        file: The file.
        init: Network to begin with; without one, the defaults decide what is left open.
        final: Whether to train on the validation cases too.
        folds: Folds of a cross-validation; None if it is none.

    Raises:
        ConfigError: If a setting is impossible, or two contradict each other.
        ModelError: If there is no such network.
    """
    settings = {**file.settings, **given.to_dict()}
    _check_held_out(settings.get("keep"), final=final, folds=folds, init=init)
    if init is None:
        return TrainConfig.from_dict(settings, where=file.where)
    from lungcli.workflows.training.fine_tuning import settings_from

    return settings_from(init, settings, where=file.where)


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


def _take_files(settings: dict[str, Any], config: Path) -> TrainFiles:
    """Take data, run, init and any_convention out of the settings of a file."""
    init = settings.pop("init", None)
    if init is not None and not isinstance(init, str):
        msg = f"{config}: init must be a run or a bundled network, got {init!r}."
        raise ConfigError(msg)
    any_convention = settings.pop("any_convention", False)
    if not isinstance(any_convention, bool):
        msg = f"{config}: any-convention must be true or false, got {any_convention!r}."
        raise ConfigError(msg)
    return TrainFiles(
        data=_paths(settings.pop("data", []), config),
        run=next(iter(_paths(settings.pop("run", []), config)), None),
        init=init,
        any_convention=any_convention,
    )


def _paths(value: object, config: Path) -> list[Path]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        msg = (
            f"{config}: data and run must be a path or a list of paths, got {value!r}."
        )
        raise ConfigError(msg)
    return [Path(v) for v in values]


def _check_held_out(
    keep: object, *, final: bool, folds: int | None, init: str | None
) -> None:
    """Refuse options that contradict each other about the cases that are held out."""
    if final and folds is not None:
        msg = "--final holds no fold out. Take --final or --folds, not both."
        raise ConfigError(msg)
    if folds is not None and init:
        msg = (
            "--folds begins with random weights: what --init names may have seen the "
            "cases that are held out. Leave one of them out."
        )
        raise ConfigError(msg)
    if (final or folds is not None) and keep == "best":
        msg = (
            "--final and --folds keep the weights of the last epoch, since no other "
            "cases are left to choose one by. Leave out keep best."
        )
        raise ConfigError(msg)
