"""`lungcli stress`: a model and cases in, how much spoils its masks out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lungcli.cli.options import (
    DEFAULT_DATA,
    AnyConvention,
    AsJson,
    Data,
    Model,
    Seed,
    Split,
    SplitOption,
)
from lungcli.cli.output import count_cases, out, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars

if TYPE_CHECKING:
    from lungcli.workflows.stressing.verdict import Verdict


def stress(
    data: Data = DEFAULT_DATA,
    model: Model = None,
    split: SplitOption = Split.TEST,
    cases: Annotated[
        int,
        typer.Option(help="Cases, evenly over the sources; 0 takes all.", min=0),
    ] = 40,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this perturbation; repeat it for several.",
            show_default="all",
        ),
    ] = None,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the results.",
            show_default="stress[/<split>] in the run folder, or here if bundled",
            readable=False,
        ),
    ] = None,
    any_convention: AnyConvention = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find out how much rotation, noise, blur … a trained model bears.

    Each perturbation grows from nothing to absurd; the table says where the mean
    Dice falls below 0.95 and below 0.9.
    """
    from lungcli.workflows.stressing import (
        stress as workflow,  # loads NumPy and the network
    )

    with progress_bars() as progress:
        done = workflow.stress(
            data,
            model,
            settings=workflow.StressSettings(
                cases=cases, only=tuple(only or ()), seed=seed
            ),
            split=split.value,
            out=out_folder,
            any_convention=any_convention,
            progress=progress,
            announce=print_note,
        )
    for note in done.notes:
        print_note(note)
    if as_json:
        print_json(done.summary)
        return
    title = f"{count_cases(done.summary['cases'])}, split {split}"
    print_verdicts(done.verdicts, title=title)
    print_paths(out, done.paths)


def print_verdicts(verdicts: "Sequence[Verdict]", *, title: str) -> None:
    """Print one line a perturbation: where the mean Dice falls below what."""
    table = Table(title=title)
    for name in ("perturbation", "level in"):
        table.add_column(name)
    for drop in verdicts[0].drops:
        table.add_column(f"mean Dice < {drop.threshold:g}")
    for verdict in verdicts:
        table.add_row(
            verdict.perturbation.name,
            verdict.perturbation.measure,
            *(drop.text for drop in verdict.drops),
        )
    out.print(table)
