"""Training images per second: lungcli against PyTorch and MONAI.

    python benchmarks/training_speed.py
    python benchmarks/training_speed.py --device cpu --network classic --json
    python benchmarks/training_speed.py --only "PyTorch compiled" --only classic/lungcli

Two races for each device and precision. `classic`: the same U-Net, layer by layer, in
lungcli and in PyTorch. `default`: lungcli's default network and MONAI's residual U-Net.
lungcli trains through its own trainer, with and without augmentation; its rivals have a
plain loop without any, eager and through `torch.compile`, channels-last. Loss,
optimizer, batch size and data are the same.
"""

import tempfile
from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import machine
from entries import Entry, Track, lungcli_entry, torch_entry
from lungcli.errors import LungcliError
from material import save_pairs
from output import (
    AsJson,
    Data,
    Device,
    DeviceOption,
    open_console,
    print_document,
    stop,
)
from race import Race, race, show
from turns import ContestantError

_STRENGTHS = {"lungcli": 1.0, "lungcli, no augmentation": 0.0}
_DEPTH = 4  # poolings of the classic U-Net


class Network(StrEnum):
    """What races."""

    CLASSIC = "classic"
    DEFAULT = "default"


class Precision(StrEnum):
    """What it computes in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large everything is.

    Attributes:
        size: Side of the images in pixels.
        filters: Of the classic U-Net's first level.
        batch_size: Images a step.
        steps: Steps a round.
    """

    size: int
    filters: int
    batch_size: int
    steps: int


_USUAL = {
    machine.CPU: Sizes(size=256, filters=16, batch_size=8, steps=20),
    machine.CUDA: Sizes(size=256, filters=32, batch_size=32, steps=300),
}


def lungcli_entries(
    track: Track, network: Network, precision: Precision, sizes: Sizes
) -> list[Entry]:
    """Return lungcli, with and without augmentation."""
    train: dict[str, Any] = {
        "size": sizes.size,
        "batch_size": sizes.batch_size,
        "precision": precision.value,
    }
    if network is Network.CLASSIC:
        train |= {"arch": "unet", "filters": sizes.filters, "depth": _DEPTH}
    return [
        lungcli_entry(name, track, {**train, "strength": strength})
        for name, strength in _STRENGTHS.items()
    ]


def torch_entries(
    track: Track, network: Network, precision: Precision, sizes: Sizes
) -> list[Entry]:
    """Return PyTorch with the twin or with MONAI's network, eager and compiled."""
    return [
        torch_entry(
            name,
            track,
            network="classic" if network is Network.CLASSIC else "monai",
            filters=sizes.filters,
            depth=_DEPTH,
            compiled=compiled,
            precision=precision.value,
            batch_size=sizes.batch_size,
        )
        for name, compiled in zip(rivals(network), (False, True), strict=True)
    ]


def rivals(network: Network) -> tuple[str, str]:
    """Return the names of the rivals, eager and compiled."""
    library = "PyTorch" if network is Network.CLASSIC else "MONAI"
    return f"{library} eager", f"{library} compiled"


def matches(network: Network) -> list[tuple[str, str]]:
    """Return who is divided by whom."""
    return list(product(_STRENGTHS, rivals(network)))


def check_twins(result: Race) -> None:
    """Refuse to compare networks that are not the same.

    Raises:
        ContestantError: If the number of parameters differs.
    """
    counts = {name: facts["parameters"] for name, facts in result.facts.items()}
    if len(set(counts.values())) > 1:
        msg = f"the classic U-Nets differ in their parameters: {counts}."
        raise ContestantError(msg)


def names_of(contestant: str, network: Network) -> set[str]:
    """Return by what names a contestant can be chosen: in any race, or in one."""
    return {contestant, f"{network}/{contestant}"}


def known_names() -> set[str]:
    """Return the names of all who can race."""
    races = [(one, network) for network in Network for one in _all(network)]
    return set().union(*(names_of(*race) for race in races))


def _all(network: Network) -> tuple[str, ...]:
    return *_STRENGTHS, *rivals(network)


def measure(
    track: Track,
    network: Network,
    precision: Precision,
    sizes: Sizes,
    only: Set[str],
) -> Race:
    """Race lungcli against its rivals, of those that are named."""
    entries = [
        *lungcli_entries(track, network, precision, sizes),
        *torch_entries(track, network, precision, sizes),
    ]
    chosen = [e for e in entries if names_of(e.contestant.name, network) & only]
    result = race(chosen, rounds=track.rounds)
    if network is Network.CLASSIC:
        check_twins(result)
    return result


def run_races(
    track: Track,
    races: Sequence[tuple[Network, Precision]],
    sizes: Sizes,
    only: Set[str],
    console: Console,
) -> list[dict[str, Any]]:
    """Run one race after the other; print each and return all as JSON objects."""
    found = []
    for network, precision in races:
        result = measure(track, network, precision, sizes, only)
        about = {
            "network": network.value,
            "device": track.device,
            "precision": precision.value,
            "size": sizes.size,
            "batch_size": sizes.batch_size,
        }
        title = (
            f"{network} network on {track.device}, {precision}, {sizes.size} px, "
            f"batch {sizes.batch_size}"
        )
        show(console, title, result, matches(network))
        found.append({**about, **result.to_dict(matches(network))})
    return found


def main(
    data: Data = None,
    device: DeviceOption = Device.AUTO,
    network: Annotated[
        list[Network] | None, typer.Option(show_default="both; repeatable")
    ] = None,
    precision: Annotated[
        list[Precision] | None, typer.Option(show_default="both; repeatable")
    ] = None,
    size: Annotated[int, typer.Option(help="Side in pixels.")] = 256,
    filters: Annotated[
        int | None,
        typer.Option(help="Of the classic U-Net.", show_default="16, CUDA 32"),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Images a step.", min=1, show_default="8, CUDA 32"),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps a round.", min=1, show_default="20, CUDA 300"),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Turns of each.", min=1)] = 3,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Contestant, in all races or as NETWORK/NAME; repeatable.",
            show_default="all",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure training images/s of lungcli, PyTorch and MONAI, in turns."""
    known = known_names()
    chosen = set(only or known)
    if unknown := chosen - known:
        stop(f"--only {min(unknown)!r}: there are {', '.join(sorted(known))}.")
    races = list(product(network or Network, precision or Precision))
    console = open_console(as_json=as_json)
    contests: list[dict[str, Any]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for place in machine.devices(device):
                usual = _USUAL[place]
                sizes = Sizes(
                    size=size,
                    filters=filters or usual.filters,
                    batch_size=batch_size or usual.batch_size,
                    steps=steps or usual.steps,
                )
                pairs = Path(folder) / f"{place}.npz"
                count = sizes.batch_size * sizes.steps
                save_pairs(pairs, data=data, count=count, size=size)
                track = Track(pairs=pairs, device=place, rounds=rounds)
                contests += run_races(track, races, sizes, chosen, console)
    except (ContestantError, LungcliError) as error:
        stop(str(error))
    if as_json:
        print_document("training_speed", {"contests": contests})


if __name__ == "__main__":
    typer.run(main)
