"""Who labels many X-rays: threads of this process, or the workers of a cluster."""

import platform
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path

from lungcli.errors import ConfigError
from lungcli.system.threads import in_order
from lungcli.workflows.predicting.batch import LabelAll, Task
from lungcli.workflows.predicting.journal import Entry
from lungcli.workflows.predicting.labelling import Labeller, LabellerPlan
from lungcli.workflows.shared.cluster import map_on_cluster


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
