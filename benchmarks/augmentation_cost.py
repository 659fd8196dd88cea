"""What augmentation costs: lungcli's training images per second with it and without.

    python benchmarks/augmentation_cost.py
    python benchmarks/augmentation_cost.py --data prepared --device cpu --json

A ratio of 0.9 means that training with augmentation has nine tenths of the speed.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

import machine
from entries import Track, lungcli_entry
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

ON, OFF = "augmentation", "no augmentation"
MATCHES = [(ON, OFF)]


def compare(track: Track, train: dict[str, object]) -> Race:
    """Race lungcli with augmentation against lungcli without."""
    entries = [
        lungcli_entry(name, track, {**train, "strength": strength})
        for name, strength in ((ON, 1.0), (OFF, 0.0))
    ]
    return race(entries, rounds=track.rounds)


def main(
    data: Data = None,
    device: DeviceOption = Device.AUTO,
    arch: Annotated[
        str, typer.Option(help="Network: stem-unet or unet.")
    ] = "stem-unet",
    size: Annotated[int, typer.Option(help="Side in pixels.")] = 256,
    batch_size: Annotated[int, typer.Option(help="Images a step.", min=1)] = 8,
    steps: Annotated[int, typer.Option(help="Steps a round.", min=1)] = 30,
    rounds: Annotated[int, typer.Option(help="Turns of each.", min=1)] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure lungcli's training images/s with and without augmentation, in turns."""
    train: dict[str, object] = {"arch": arch, "size": size, "batch_size": batch_size}
    console = open_console(as_json=as_json)
    contests = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            pairs = Path(folder) / "pairs.npz"
            save_pairs(pairs, data=data, count=batch_size * steps, size=size)
            for place in machine.devices(device):
                result = compare(Track(pairs=pairs, device=place, rounds=rounds), train)
                show(console, f"{arch} on {place}, {size} px", result, MATCHES)
                contests.append({"device": place, **train, **result.to_dict(MATCHES)})
    except (ContestantError, LungcliError) as error:
        stop(str(error))
    if as_json:
        print_document("augmentation_cost", {"contests": contests})


if __name__ == "__main__":
    typer.run(main)
