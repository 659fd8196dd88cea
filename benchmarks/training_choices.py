"""What augmentation costs and oneDNN brings: lungcli's training images per second.

    python benchmarks/training_choices.py
    python benchmarks/training_choices.py --data prepared --device cpu --json

lungcli takes turns with itself: as it is, without augmentation and, on a processor,
without oneDNN, which TensorFlow by itself takes on newer processors only. A ratio of
0.9 to lungcli without augmentation means that it leaves nine tenths of the speed.
"""

import os
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

AS_IT_IS, PLAIN, NO_ONEDNN = "lungcli", "no augmentation", "no oneDNN"
MATCHES = [(AS_IT_IS, PLAIN), (AS_IT_IS, NO_ONEDNN)]
_STRENGTHS = {AS_IT_IS: 1.0, PLAIN: 0.0, NO_ONEDNN: 1.0}


def compare(track: Track, train: dict[str, object]) -> Race:
    """Race lungcli as it is against lungcli without one of its choices."""
    tensorflow = os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
    entries = [
        lungcli_entry(
            name,
            track,
            {**train, "strength": strength},
            {"TF_ENABLE_ONEDNN_OPTS": "0" if name == NO_ONEDNN else "1"},
        )
        for name, strength in _STRENGTHS.items()
        if name != NO_ONEDNN or (tensorflow and track.device == machine.CPU)
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
    """Measure lungcli's training images/s with and without its choices, in turns."""
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
        print_document("training_choices", {"contests": contests})


if __name__ == "__main__":
    typer.run(main)
