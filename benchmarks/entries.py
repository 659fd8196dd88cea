"""Who can enter a race."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from turns import Contestant


@dataclass(frozen=True, slots=True)
class Entry:
    """One who wants to race.

    Attributes:
        contestant: Its process, not yet started.
        needs: Packages without which it stays away; none for lungcli itself.
    """

    contestant: Contestant
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What is the same for everyone in a race.

    Attributes:
        pairs: File of the training pairs; one round goes once over it.
        device: `cpu` or `cuda`.
        rounds: Turns of each contestant.
    """

    pairs: Path
    device: str
    rounds: int

    def job(self, **more: Any) -> dict[str, Any]:
        """Return the settings of a contestant."""
        return {"pairs": str(self.pairs), "rounds": self.rounds, **more}


def lungcli_entry(
    name: str,
    track: Track,
    train: Mapping[str, Any],
    env: Mapping[str, str] | None = None,
) -> Entry:
    """Enter lungcli.

    Args:
        name: For the tables.
        track: The race.
        train: Settings of `lungcli.model.config.TrainConfig`; defaults fill the rest.
        env: Environment variables of this one alone.
    """
    job = track.job(train=dict(train))
    env = {**machine.lungcli_env(track.device), **(env or {})}
    return Entry(Contestant(name, "lungcli_contestant.py", job, env))


def torch_entry(name: str, track: Track, **job: Any) -> Entry:
    """Enter PyTorch.

    Args:
        name: For the tables.
        track: The race.
        job: `network` (`classic`, with `filters` and `depth`, or `monai`),
            `compiled`, `precision` and `batch_size`.
    """
    needs = ("torch", "monai") if job["network"] == "monai" else ("torch",)
    settings = track.job(device=track.device, **job)
    return Entry(Contestant(name, "torch_contestant.py", settings, {}), needs)
