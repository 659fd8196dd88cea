"""Settings of a training run: checked once, saved with the run."""

import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from lungcli import anatomy
from lungcli.errors import ConfigError

ARCHITECTURES: Final = ("stem-unet", "unet")
NORMALIZATIONS: Final = ("equalized", "none")
HEADS: Final = ("smooth", "cells")
PRECISIONS: Final = ("auto", "float32", "bfloat16")
SCHEDULES: Final = ("cosine", "plateau")
KEEPS: Final = ("best", "last")
ALL_DEVICES: Final = "all"
MAX_SEED: Final = 2**32 - 1
# Of networks and runs that were saved before they said so.
BEFORE_SAID: Final = {"normalization": "none", "head": "cells"}
LUNGS: Final = "lungs"  # stands for the right and the left one
_MOST: Final = 2**32  # of any setting: beyond, libraries overflow


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What it takes to build the network again.

    Attributes:
        arch: One of `ARCHITECTURES`.
        size: Height and width of the input in pixels.
        filters: Filters of the first level.
        depth: Number of poolings.
        normalization: What the first layer does to the gray values, one of
            `NORMALIZATIONS`.
        head: How `stem-unet` paints its last layer, one of `HEADS`.
        structures: Keys of what it draws, in the order of `anatomy.STRUCTURES`; both
            lungs are among them.
    """

    arch: str = "stem-unet"
    size: int = 256
    filters: int = 16
    depth: int = 4
    normalization: str = "equalized"
    head: str = "smooth"
    structures: tuple[str, ...] = tuple(lung.key for lung in anatomy.LUNGS)

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        _check_structures(self.structures)
        for name, most in (("size", 4096), ("filters", 1024), ("depth", 8)):
            _check(name, getattr(self, name), int, at_least=1)
            if getattr(self, name) > most:
                msg = f"{name} must be at most {most}, got {getattr(self, name)}."
                raise ConfigError(msg)
        _check_choice("arch", self.arch, ARCHITECTURES)
        _check_choice("normalization", self.normalization, NORMALIZATIONS)
        _check_choice("head", self.head, HEADS)

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of what it draws, in the order of its channels."""
        return tuple(anatomy.BY_KEY[key].label for key in self.structures)

    def settings(self) -> dict[str, Any]:
        """Return the settings of a training whose network is built like this."""
        lungs = {lung.key for lung in anatomy.LUNGS}
        others = [key for key in self.structures if key not in lungs]
        return {**asdict(self), "structures": ",".join([LUNGS, *others])}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What it takes, with the data, to repeat a run.

    Attributes:
        arch: Network, one of `ARCHITECTURES`.
        size: Height and width that the network sees, in pixels.
        filters: Filters of the network's first level.
        depth: Number of poolings.
        normalization: `equalized`: gray values are ranks among those of the chest;
            `none`: they are taken as they come.
        head: How `stem-unet` paints its last layer: `smooth`, or in `cells` of 4×4
            pixels, as it did once.
        structures: What it draws, with commas: `lungs`, and others of
            `anatomy.STRUCTURES` that a data set has.
        epochs: Passes over the training cases.
        batch_size: Cases per step.
        learning_rate: Its highest value.
        schedule: `cosine` (warm-up, then down to 0) or `plateau` (halved when the
            validation Dice stalls).
        weight_decay: Of AdamW.
        strength: Of the augmentation; 1 is the widest that still looks like an X-ray,
            0 is none. Wider needs more epochs.
        patience: Epochs without a better validation Dice before the training
            stops early; 0 never stops.
        keep: Epoch whose weights are the model: the one with the `best` validation
            Dice, or the `last`.
        precision: `auto` takes bfloat16 where the hardware computes in it.
        tensorboard: Whether to write a TensorBoard log.
        seed: Same seed, same data order, same augmentation, same start weights.
        deterministic: Whether a GPU, too, gives the same weights to the last bit for
            the same seed, on the same machine; slower. A processor always does.
        devices: On how many devices the cases of a step are divided, or `all`.
    """

    arch: str = "stem-unet"
    size: int = 256
    filters: int = 16
    depth: int = 4
    normalization: str = "equalized"
    head: str = "smooth"
    structures: str = LUNGS
    epochs: int = 60
    batch_size: int = 8
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-4
    strength: float = 0.5
    patience: int = 0
    keep: str = "best"
    precision: str = "auto"
    tensorboard: bool = False
    seed: int = 0
    deterministic: bool = False
    devices: int | str = 1

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        _ = self.network  # checks itself
        for name in ("epochs", "batch_size"):
            _check(name, getattr(self, name), int, at_least=1)
        for name in ("patience", "seed"):
            _check(name, getattr(self, name), int, at_least=0)
        if self.seed > MAX_SEED:
            msg = f"seed must be at most {MAX_SEED}, got {self.seed}."
            raise ConfigError(msg)
        for name in ("learning_rate", "weight_decay", "strength"):
            _check(name, getattr(self, name), (int, float), at_least=0)
        if self.learning_rate == 0:
            msg = "learning_rate must be above 0, got 0."
            raise ConfigError(msg)
        for name in ("tensorboard", "deterministic"):
            _check(name, getattr(self, name), bool)
        _check_devices(self.devices)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("keep", self.keep, KEEPS)

    @property
    def network(self) -> NetworkConfig:
        """The part that says how the network is built."""
        return NetworkConfig(
            arch=self.arch,
            size=self.size,
            filters=self.filters,
            depth=self.depth,
            normalization=self.normalization,
            head=self.head,
            structures=_keys(self.structures),
        )

    @property
    def validation_decides(self) -> bool:
        """Whether the validation Dice shapes the model, and not only describes it."""
        return self.keep == "best" or self.patience > 0 or self.schedule == "plateau"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON and TOML know them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], *, where: str) -> Self:
        """Build from names and values; the defaults fill the rest.

        Args:
            settings: Setting names to values.
            where: File or command that the error message blames.

        Raises:
            ConfigError: If a name is unknown or a value impossible.
        """
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                msg = f"{where}: unknown setting {name!r}. Known: {', '.join(known)}."
                raise ConfigError(msg)
        try:
            return cls(**settings)
        except ConfigError as error:
            msg = f"{where}: {error}"
            raise ConfigError(msg) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """Which of the cases for development are held out of a training, only watched.

    By default those of the split `val`. Test cases are neither.

    Attributes:
        final: Whether those of `val` train too.
        folds: Folds of a cross-validation, at least 2; 0 if it is none.
        fold: The fold that is held out, from 1; 0 for the cross-validation as a whole.
    """

    final: bool = False
    folds: int = 0
    fold: int = 0

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        _check("final", self.final, bool)
        for name in ("folds", "fold"):
            _check(name, getattr(self, name), int, at_least=0)
        if self.folds == 1:
            msg = "folds must be at least 2, got 1: one fold leaves none to train on."
            raise ConfigError(msg)
        if self.fold > self.folds:
            msg = f"there is no fold {self.fold} of {self.folds}."
            raise ConfigError(msg)


def _check(
    name: str,
    value: object,
    kind: type | tuple[type, ...],
    *,
    at_least: float | None = None,
) -> None:
    # bool is an int in Python, but `epochs = true` is a slip
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        msg = f"{name} must be a {_name_of(kind)}, got {_shown(value)}."
        raise ConfigError(msg)
    if not isinstance(value, int | float) or at_least is None:
        return
    if not at_least <= value < float("inf"):
        msg = f"{name} must be at least {at_least:g}, got {_shown(value)}."
        raise ConfigError(msg)
    if value > _MOST:
        msg = f"{name} must be at most {_MOST}, got {_shown(value)}."
        raise ConfigError(msg)


def _keys(structures: object) -> tuple[str, ...]:
    """Return the keys that a list such as `lungs,heart` means; the lungs always."""
    if not isinstance(structures, str):
        msg = f"structures must be text such as lungs,heart, got {_shown(structures)}."
        raise ConfigError(msg)
    given = {name.strip() for name in structures.split(",")} - {LUNGS}
    lungs = [lung.key for lung in anatomy.LUNGS]
    unknown = sorted(given - set(anatomy.BY_KEY))
    if unknown:
        others = [each.key for each in anatomy.STRUCTURES if each.key not in lungs]
        msg = (
            f"structures {_shown(structures)}: there is no {unknown[0]!r}. Choose from "
            f"{', '.join([LUNGS, *others])}."
        )
        raise ConfigError(msg)
    return tuple(each.key for each in anatomy.named([*lungs, *given]))


def _check_structures(keys: tuple[str, ...]) -> None:
    lungs = {lung.key for lung in anatomy.LUNGS}
    known = tuple(each.key for each in anatomy.STRUCTURES if each.key in keys)
    if known != tuple(keys) or not lungs <= set(keys):
        msg = (
            "structures must be keys of what lungcli draws, in its order, the lungs "
            f"among them, got {_shown(keys)}."
        )
        raise ConfigError(msg)


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number too long to write"


def _name_of(kind: type | tuple[type, ...]) -> str:
    names = {int: "whole number", bool: "true or false"}
    return names.get(kind, "number") if isinstance(kind, type) else "number"


def _check_devices(value: object) -> None:
    if value == ALL_DEVICES:
        return
    if isinstance(value, str):
        msg = f"devices must be a whole number or {ALL_DEVICES}, got {_shown(value)}."
        raise ConfigError(msg)
    _check("devices", value, int, at_least=1)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} must be one of {', '.join(choices)}, got {_shown(value)}."
        raise ConfigError(msg)
