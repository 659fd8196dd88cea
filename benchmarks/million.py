"""Hours, memory and money for an archive, from the stage times of predict.py.

    python benchmarks/predict.py --json > stages.json
    python benchmarks/million.py stages.json

What a stage takes is taken as work for one core, which any number of cores share: that
holds for processes (`--shard`, `--cluster`) and is the part that is not measured. On a
machine with a GPU the cores only decode, check and encode; the table says how fast the
network must be there not to be what everything waits for.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from output import AsJson, open_console, print_document, stop

BASE_MB = 186  # of `predict` with 500 files; see docs/benchmarks.md, Prediction
KB_A_FILE = 1.4  # more for each further file, likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an archive costs on machines of one kind.

    Attributes:
        machines: How many.
        hours: From the first X-ray to the last, on all of them at once.
        memory_mb: Of `predict`, on each.
        price: Of all machines together, in the currency of the price of an hour.
        network_a_second: X-rays that a GPU must label to keep up; None without GPU.
    """

    machines: int
    hours: float
    memory_mb: float
    price: float
    network_a_second: float | None = None


def on_processors(
    stages: dict[str, Any], *, images: int, cores: int, machines: int, price: float
) -> Costs:
    """Return the costs where processors do everything.

    Args:
        stages: What `predict.py --json` has printed: seconds an X-ray with `threads`
            cores at work.
        images: X-rays.
        cores: Of each machine.
        machines: How many.
        price: Of a machine for an hour.
    """
    each = stages["whole"]["median"] * stages["threads"]
    hours = each * images / (cores * machines) / 3600
    return Costs(
        machines=machines,
        hours=hours,
        memory_mb=memory_mb(images),  # a shard lists all files, too
        price=hours * machines * price,
    )


def with_gpu(stages: dict[str, Any], *, images: int, cores: int, price: float) -> Costs:
    """Return the costs where a GPU that is fast enough computes the network."""
    on_cores = stages["whole"]["median"] - stages["network"]["median"]
    each = on_cores * stages["threads"]
    hours = each * images / cores / 3600
    return Costs(
        machines=1,
        hours=hours,
        memory_mb=memory_mb(images),
        price=hours * price,
        network_a_second=cores / each,
    )


def memory_mb(images: float) -> float:
    """Return the memory of one `predict`, whose list of files grows."""
    return BASE_MB + KB_A_FILE * images / 1000


def main(
    stages: Annotated[Path, typer.Argument(help="What predict.py --json printed.")],
    images: Annotated[int, typer.Option(help="X-rays.", min=1)] = 1_000_000,
    cores: Annotated[int, typer.Option(help="Cores of a machine.", min=1)] = 16,
    cpu_price: Annotated[float, typer.Option(help="An hour without GPU.")] = 0.8,
    gpu_price: Annotated[float, typer.Option(help="An hour with GPU.")] = 1.6,
    as_json: AsJson = False,
) -> None:
    """Calculate what an archive costs on one machine, on 16, and on one with a GPU."""
    console = open_console(as_json=as_json)
    try:
        measured = json.loads(stages.read_text(encoding="utf-8"))
        common = {"images": images, "cores": cores}
        rows = {
            f"{count} × {cores} cores": on_processors(
                measured, **common, machines=count, price=cpu_price
            )
            for count in (1, 16)
        }
        rows[f"{cores} cores and a GPU"] = with_gpu(measured, **common, price=gpu_price)
    except (OSError, ValueError, KeyError, TypeError) as error:
        stop(f"{stages} is not what predict.py --json prints ({error}).")
    table = Table("machines", "hours", "memory each, MB", "price", "GPU must label")
    for name, costs in rows.items():
        keeps_up = costs.network_a_second
        table.add_row(
            name,
            f"{costs.hours:.2f}",
            f"{costs.memory_mb:.0f}",
            f"{costs.price:.2f}",
            f"{keeps_up:.0f}/s" if keeps_up else "",
        )
    console.print(table)
    if as_json:
        print_document(
            "million",
            {name: asdict(costs) for name, costs in rows.items()},
        )


if __name__ == "__main__":
    typer.run(main)
