"""What a training changes or finds before it begins, and says aloud."""

from collections.abc import Sequence
from dataclasses import replace

from lungcli.model.config import TrainConfig
from lungcli.nn.distribution import this_process
from lungcli.nn.hardware import unseen_gpu
from lungcli.nn.state import TrainingState
from lungcli.workflows.shared.datasets import DatasetCase, smaller_than


def notes_on(state: TrainingState | None) -> list[str]:
    """Say aloud what of a state was damaged, and what is taken instead."""
    if state is None:
        return []
    return [
        f"{what}: going on after epoch {state.epoch} instead." for what in state.damaged
    ]


def notes_on_process() -> list[str]:
    """Say aloud which GPU is not seen, and who writes, if several train together."""
    unseen = unseen_gpu()
    notes = [unseen] if unseen else []
    here = this_process()
    if here.count > 1:
        role = "writes the run" if here.index == 0 else "leaves nothing: process 0 does"
        notes.append(f"process {here.index} of {here.count}: it {role}.")
    return notes


def fit_to_data(
    config: TrainConfig, cases: Sequence[DatasetCase]
) -> tuple[TrainConfig, list[str]]:
    """Return settings that suit the data, and what the user should know of it."""
    notes = []
    if config.batch_size > len(cases):
        notes.append(
            f"only {len(cases)} training cases: the batch size is now that, "
            f"not {config.batch_size}."
        )
        config = replace(config, batch_size=len(cases))
    smaller = smaller_than(config.size, cases)
    if smaller:
        notes.append(
            f"{smaller} of {len(cases)} training images are stored smaller than the "
            f"network's {config.size} pixels and are enlarged."
        )
    return config, notes
