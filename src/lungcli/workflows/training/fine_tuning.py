"""Training that begins with the weights of a trained network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from lungcli.data.case import Convention
from lungcli.errors import ConfigError
from lungcli.model.config import NetworkConfig, TrainConfig
from lungcli.model.find import find_model
from lungcli.model.info import (
    InitialModel,
    ModelInfo,
    fingerprint,
    load_info,
    weights_file,
)
from lungcli.model.runs import RUNS
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    conventions_differ,
    count_named,
)

LEARNING_RATE: Final = 5e-4  # the recipe's would undo what the network knows
_SHAPE: Final = ("arch", "filters", "depth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Initial:
    """The trained network that a training begins with.

    Attributes:
        name: `bundled`, or the name of its run folder.
        weights: Their file.
        info: What is known about it.
    """

    name: str
    weights: Path
    info: ModelInfo

    @classmethod
    def find(cls, given: str | Path, *, runs: Path = RUNS) -> Self:
        """Open the network that a user means, as `models.find_model` takes it.

        Raises:
            ModelError: If there is no such network.
        """
        model = find_model(given, runs=runs)
        return cls(
            name=Path(model.name).name,
            weights=weights_file(model.root),
            info=load_info(model.root),
        )

    @property
    def network(self) -> NetworkConfig:
        """How it is built."""
        return self.info.network

    def check_fits(self, config: TrainConfig) -> None:
        """Refuse a network of another shape; its size, first and last layer may differ.

        Raises:
            ConfigError: If the weights do not fit.
        """
        settings, network = config.to_dict(), asdict(self.network)
        for name in _SHAPE:
            value = network[name]
            if settings[name] != value:
                flag = f"--{name.replace('_', '-')}"
                msg = (
                    f"{flag} {settings[name]} does not fit the initial model "
                    f"{self.name}, which has {value}. Leave out {flag}, or --init."
                )
                raise ConfigError(msg)

    def settings(self) -> dict[str, Any]:
        """Return what a fine-tuning of this network takes unless told otherwise."""
        return {**self.network.settings(), "learning_rate": LEARNING_RATE}

    def record_in(self, info: ModelInfo) -> ModelInfo:
        """Return what is known of the new network, which has seen what this one has.

        Weights derived from others stay under their licence.
        """
        initial = InitialModel(
            name=self.name,
            fingerprint=fingerprint(self.weights),
            data=self.info.seen,
        )
        return replace(info, initial=initial, license=self.info.license)

    def notes(
        self, convention: Convention, validation: Sequence[DatasetCase]
    ) -> tuple[str, ...]:
        """Return what the user should know before fine-tuning this network.

        Args:
            convention: Of the masks that are trained on.
            validation: Cases whose Dice is watched.
        """
        notes = [f"fine-tuning {self.name}."]
        own = self.info.convention
        if conventions_differ(own, convention):
            notes.append(
                f"{self.name} has learned masks with the convention {own}; it is now "
                f"taught {convention}."
            )
        known = count_named(validation, self.info.cases_trained_on)
        if known:
            notes.append(
                f"{self.name} was trained on {known} of the {len(validation)} "
                "validation cases: their Dice says nothing about new patients."
            )
        if self.info.license:
            notes.append(
                f"the weights of {self.name} are under {self.info.license}, and so is "
                "what is made from them."
            )
        return tuple(notes)


def settings_from(
    given: str | Path,
    settings: Mapping[str, Any],
    *,
    where: str,
    runs: Path = RUNS,
) -> TrainConfig:
    """Return settings in which the initial network decides what is not set.

    Args:
        given: The initial network, as `models.find_model` takes it.
        settings: What is set, names to values.
        where: File or command that an error message blames.
        runs: Folder of all runs.

    Raises:
        ConfigError: If a setting is impossible or does not fit the network.
        ModelError: If there is no such network.
    """
    initial = Initial.find(given, runs=runs)
    merged = {**initial.settings(), **settings}
    config = TrainConfig.from_dict(merged, where=where)
    initial.check_fits(config)
    return config
