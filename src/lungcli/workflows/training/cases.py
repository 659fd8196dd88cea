"""Which cases train a network, and which are only watched while it trains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.model.config import Holdout, TrainConfig
from lungcli.model.info import TrainedOn, load_info
from lungcli.model.runs import RunFolder
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    check_disjoint,
    check_unique,
    full_name,
    select,
)
from lungcli.workflows.training.folds import development_cases, draw_folds

_MOST_WATCHED: Final = 16  # training cases; they only show that a training goes well


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCases:
    """The cases of one training.

    Attributes:
        datasets: All that were named, in that order.
        holdout: How these were chosen.
        train: Trained on; those of one data set stand together.
        validation: Predicted and scored after each epoch, likewise.
        notes: What the user should know.
    """

    datasets: tuple[PreparedDataset, ...]
    holdout: Holdout
    train: tuple[DatasetCase, ...]
    validation: tuple[DatasetCase, ...]
    notes: tuple[str, ...] = ()

    def trained_on(self, config: TrainConfig) -> tuple[TrainedOn, ...]:
        """Return what the model tells about its data.

        Args:
            config: Settings; they say whether the validation cases shape the model.
        """
        deciding = self.validation if config.validation_decides else ()
        return tuple(
            TrainedOn(
                name=dataset.name,
                fingerprint=dataset.fingerprint,
                cases=_names(dataset, self.train),
                validation=_names(dataset, deciding),
            )
            for dataset in self.datasets
        )

    def check_unchanged(self, run: RunFolder, config: TrainConfig) -> None:
        """Refuse to go on with a run that began with other cases.

        Raises:
            ModelError: If the model of the run cannot be read.
            DatasetError: If images or splits have changed.
        """
        if self.trained_on(config) != load_info(run.root).data:
            listed = ", ".join(str(dataset.root) for dataset in self.datasets)
            msg = (
                f"{listed} has changed since the run {run.root} began: other images "
                "or other splits. Prepare it as it was, or start a new run."
            )
            raise DatasetError(msg)


def choose_cases(
    datasets: Sequence[PreparedDataset], holdout: Holdout, *, seed: int
) -> TrainingCases:
    """Choose the cases of one training.

    Args:
        datasets: Prepared data sets.
        holdout: How to choose; of a cross-validation, one fold.
        seed: Of the folds.

    Raises:
        DatasetError: If there are no training or no validation cases, a case is in two
            data sets, or a patient in two parts that must not meet.
        ConfigError: If there are more folds than patients, or none is held out.
    """
    if holdout.folds:
        return _hold_out(datasets, holdout, seed=seed)
    if holdout.final:
        return _train_on_all(datasets, holdout)
    check_unique(datasets)
    train = select(datasets, "train")
    try:
        validation = select(datasets, "val")
    except DatasetError as error:
        msg = f"{error} Or train on all cases, with none to validate on: --final."
        raise DatasetError(msg) from error
    check_disjoint(train.cases, validation.cases)
    return TrainingCases(
        datasets=tuple(datasets),
        holdout=holdout,
        train=train.cases,
        validation=validation.cases,
        notes=(*train.notes, *validation.notes),
    )


def settings_for(holdout: Holdout, config: TrainConfig) -> TrainConfig:
    """Return the settings, without a say for cases that must not have one.

    A fold that chose the epoch would be scored by what it chose, and cases that are
    trained on choose badly. So the weights of the last epoch are kept.

    Raises:
        ConfigError: If the rate or the end of the training hang on the validation Dice.
    """
    if not (holdout.final or holdout.folds):
        return config
    config = replace(config, keep="last")
    if config.validation_decides:
        msg = (
            "with --folds and --final the validation Dice must not shape the network: "
            "leave out --patience and --schedule plateau."
        )
        raise ConfigError(msg)
    return config


def _train_on_all(
    datasets: Sequence[PreparedDataset], holdout: Holdout
) -> TrainingCases:
    cases = development_cases(datasets)
    watched = tuple((owner, case) for owner, case in cases if case.split == "val")
    if watched:
        told = f"the {len(watched)} validation cases are trained on too"
    else:
        watched = cases[:_MOST_WATCHED]
        told = f"no validation cases: {len(watched)} training cases stand in for them"
    note = (
        f"{told}; their Dice shows that the training goes well, and nothing about new "
        "patients."
    )
    return TrainingCases(
        datasets=tuple(datasets),
        holdout=holdout,
        train=cases,
        validation=watched,
        notes=(note,),
    )


def _hold_out(
    datasets: Sequence[PreparedDataset], holdout: Holdout, *, seed: int
) -> TrainingCases:
    if not holdout.fold:
        msg = (
            f"a cross-validation is no single training: hold out one of its "
            f"{holdout.folds} folds."
        )
        raise ConfigError(msg)
    cases = development_cases(datasets)
    fold_of = draw_folds(cases, folds=holdout.folds, seed=seed)
    numbered = list(zip(cases, fold_of, strict=True))
    return TrainingCases(
        datasets=tuple(datasets),
        holdout=holdout,
        train=tuple(case for case, fold in numbered if fold != holdout.fold),
        validation=tuple(case for case, fold in numbered if fold == holdout.fold),
    )


def _names(dataset: PreparedDataset, cases: Sequence[DatasetCase]) -> tuple[str, ...]:
    return tuple(full_name(case) for owner, case in cases if owner is dataset)
