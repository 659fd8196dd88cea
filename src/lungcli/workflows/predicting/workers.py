"""Who labels many X-rays: threads of this process, or the workers of a cluster."""

import platform
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from lungcli.errors import ConfigError
from lungcli.model.find import Announce
from lungcli.stores.objects import RemoteFile
from lungcli.system.cores import num_cores
from lungcli.system.threads import in_order
from lungcli.system.urls import Url
from lungcli.workflows.predicting.labelling import Labeller, LabellerPlan
from lungcli.workflows.predicting.record import Entry
from lungcli.workflows.predicting.tasks import Task
from lungcli.workflows.shared.cluster import map_on_cluster
from lungcli.workflows.shared.inference import LungModel

_MOST_THREADS: Final = 16  # each may hold the probabilities of a large film: 160 MB

LabelAll = Callable[[Sequence[Task]], Generator[Entry, None, None]]
"""Yields the entries of X-rays in their order; closed where the work is stopped."""


def choose_workers(
    plan: LabellerPlan, tasks: Sequence[Task], announce: Announce
) -> tuple[LungModel, LabelAll]:
    """Return the network, loaded, and what labels X-rays as the settings say.

    Args:
        plan: Of the labellers.
        tasks: All X-rays to come.
        announce: Told if the quick engine cannot be taken, or a GPU is not seen.

    Raises:
        ModelError: If the model cannot be used.
    """
    num_threads = _num_threads(tasks, plan.out)
    # many X-rays at a time, one core each; or all cores for the only one
    labeller = plan.load(threads=1 if num_threads > 1 else None, announce=announce)
    lungs = labeller.lungs
    if plan.settings.cluster is not None:
        return lungs, on_cluster(plan.settings.cluster, plan)
    if lungs.unseen_gpu:  # the workers of a cluster use none
        announce(lungs.unseen_gpu)
    return lungs, in_threads(labeller, num_threads)


def in_threads(labeller: Labeller, num_threads: int) -> LabelAll:
    """Return what labels X-rays in threads of this process."""

    def label_all(tasks: Sequence[Task]) -> Generator[Entry, None, None]:
        return in_order(lambda task: labeller.label(*task), tasks, num_threads)

    return label_all


def on_cluster(address: str, plan: LabellerPlan) -> LabelAll:
    """Return what labels X-rays in the workers of a cluster."""
    return partial(map_on_cluster, address, partial(_labelling, plan))


def _labelling(plan: LabellerPlan) -> Callable[[Task], Entry]:
    """Return what labels X-rays in a worker of a cluster."""
    if isinstance(plan.out, Path) and not plan.out.is_dir():
        msg = (
            f"{plan.out} is not on the worker {platform.node()}. Choose an --out that "
            "all machines of the cluster share."
        )
        raise ConfigError(msg)
    labeller = plan.load(threads=1)
    return lambda task: labeller.label(*task)


def _num_threads(tasks: Sequence[Task], out: Path | Url) -> int:
    # who fetches or stores an X-ray waits for the network, and another one computes
    remote = isinstance(out, Url) or any(
        isinstance(task.item.path, RemoteFile) for task in tasks
    )
    return max(1, min(len(tasks), (1 + remote) * num_cores(), _MOST_THREADS))
