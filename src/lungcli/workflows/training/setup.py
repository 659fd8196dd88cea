"""What a training needs before it begins: settings that suit, pixels, a network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lungcli.arrays import LabelMap
from lungcli.model.config import TrainConfig
from lungcli.model.runs import RunFolder, write_config
from lungcli.nn.distribution import count_devices
from lungcli.nn.networks import check_network
from lungcli.nn.state import TrainingState
from lungcli.nn.trainer import Pairs, Trainer
from lungcli.workflows.shared.datasets import DatasetCase, store_pairs
from lungcli.workflows.training.cases import TrainingCases
from lungcli.workflows.training.evolution import Evolution
from lungcli.workflows.training.notes import fit_to_data, notes_on, notes_on_process
from lungcli.workflows.training.partial import is_partial, what_may_be

THRESHOLD: Final = 0.5  # probability of lung from which a pixel counts as lung


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """All that a trainer is made of.

    Attributes:
        folder: The run.
        config: Settings that suit the data and the devices.
        cases: Which ones train, and which are only watched.
        train: Those that train, as the network sees them.
        validation: Those that are watched, likewise.
        notes: What the user should know.
    """

    folder: RunFolder
    config: TrainConfig
    cases: TrainingCases
    train: Pairs
    validation: Pairs
    notes: tuple[str, ...]

    def new_trainer(self, state: TrainingState | None) -> Trainer:
        """Return a trainer that goes on from a state; None begins a new training."""
        return Trainer(
            self.config, self.train, self.validation, self.folder.root, state=state
        )

    def new_evolution(self) -> Evolution:
        """Return what draws the predictions of validation cases."""
        return Evolution(
            self.folder,
            images=self.validation.images,
            references=self.validation.masks,
            names=[case.case_id for _, case in self.cases.validation],
            threshold=THRESHOLD,
            channels=self.config.network.labels,
        )

    def write_config(self, *, halved_from: int | None = None) -> None:
        """Write what it takes to begin the run again."""
        write_config(
            self.folder,
            settings=self.config.to_dict(),
            data={dataset.root: dataset.name for dataset in self.cases.datasets},
            holdout=self.cases.holdout,
            halved_from=halved_from,
        )


def set_up(
    folder: RunFolder,
    config: TrainConfig,
    cases: TrainingCases,
    *,
    state: TrainingState | None = None,
    notes: Sequence[str] = (),
) -> TrainingSetup:
    """Fit the settings to data and devices, and read the pixels.

    Args:
        folder: The run.
        config: Settings.
        cases: Which ones train, and which are only watched.
        state: Where the run stopped; None begins a new one.
        notes: What else the user should know.

    Raises:
        ImageError: If a prepared image is broken.
        ConfigError: If the network cannot be built with the settings, or the devices
            are not there.
        OutputError: If the disk has too little room for the pixels.
    """
    check_network(config.network)  # before the images are read
    config, of_data = fit_to_data(config, cases.train)
    devices = count_devices(config.devices, batch_size=config.batch_size)
    config = replace(config, devices=devices)
    return TrainingSetup(
        folder=folder,
        config=config,
        cases=cases,
        train=_store(cases.train, config, folder),
        validation=_store(cases.validation, config, folder),
        notes=(*cases.notes, *of_data, *notes_on(state), *notes_on_process(), *notes),
    )


def _store(
    cases: Sequence[DatasetCase], config: TrainConfig, folder: RunFolder
) -> Pairs:
    """Read cases onto the disk of the run: they may be more than fit in memory."""
    partial: list[bool] = []

    def mask_of(labels: LabelMap, owned: DatasetCase) -> LabelMap:
        mask = what_may_be(labels, owned, config.network.labels)
        partial.append(is_partial(mask))
        return mask

    pixels = store_pairs(cases, config.size, folder=folder.root, mask_of=mask_of)
    return Pairs(*pixels, partial=any(partial))
