"""Learn the quality score from masks that a network made of unseen X-rays.

    lungcli train --folds 5 --run runs/folds ...     # networks like the final one
    python tools/fit_quality.py runs/folds           # into src/lungcli/models/quality

Figures are of patients that taught neither the networks nor the score.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from quality_learn import Figures, learn, measure, score_others
from quality_material import AS_IT_IS, Sample, collect

from lungcli.checks.quality import QUALITY_JSON, Vector
from lungcli.errors import LungcliError
from lungcli.pictures.figures.theme import (
    FAINT,
    GREEN,
    ORANGE,
    PAGE_INCH,
    PURPLE,
    SKY,
    label,
    new_figure,
    paper_style,
    save_figure,
)
from lungcli.system.files import write_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"jsrt": ORANGE, "montgomery": GREEN, "shenzhen": SKY, "wingspan": PURPLE}
STRESSED = "stressed"
LOWEST = {AS_IT_IS: 0.8, STRESSED: 0.0}  # where the axes begin
ROW = "{:24} {:>6} {:>8} {:>9} {:>7} {:>7}  {}"


def fit_quality(
    runs: Annotated[
        list[Path], typer.Argument(help="Cross-validations, or single trainings.")
    ],
    check: Annotated[
        list[Path] | None,
        typer.Option(help="Other trainings, only to measure on. Repeatable."),
    ] = None,
    stressed: Annotated[
        int, typer.Option(min=0, max=15, help="Harder versions of each X-ray.")
    ] = 4,
    out: Annotated[Path, typer.Option(help="The model.")] = QUALITY_JSON,
    picture: Annotated[
        Path | None,
        typer.Option(help="Scatter plot, without any X-ray: .png, .svg, .pdf."),
    ] = None,
) -> None:
    """Write the model, and print how well it predicts Dice."""
    try:
        samples = _collect(runs, stressed)
        others = _collect(check or [], stressed)
        scores, foreign = score_others(samples, others)
        figures = _tabulate("networks that taught", samples, scores)
        document = {**learn(samples).to_dict(), "figures": figures}
        if others:
            document["figures_of_other_networks"] = _tabulate(
                "other networks", others, foreign
            )
        write_json(out, document)
        if picture:
            save_figure(_draw(samples, scores), picture)
    except LungcliError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for term in document["terms"]:
        typer.echo(f"{term['feature']:20} {term['coefficient']:+.3f}")
    typer.echo(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


def _collect(runs: Sequence[Path], stressed: int) -> list[Sample]:
    return [
        sample
        for run in runs
        for sample in collect(run, stressed=stressed, progress=_report)
    ]


def _report(task: str, done: int, total: int) -> None:
    typer.echo(f"\r{task}: {done} of {total} X-rays", err=True, nl=done == total)


def _tabulate(
    title: str, samples: Sequence[Sample], scores: Vector
) -> dict[str, dict[str, float]]:
    """Print a row for each group of masks, and return the figures."""
    dice = np.array([sample.dice for sample in samples])
    typer.echo(
        ROW.format(title, "masks", "Pearson", "Spearman", "error", "bias", "found")
    )
    figures = {}
    for name, chosen in _groups(samples).items():
        found = measure(scores[chosen], dice[chosen])
        figures[name] = asdict(found)
        typer.echo(_row(name, found))
    return figures


def _groups(samples: Sequence[Sample]) -> dict[str, Vector]:
    """Return the places of the masks of each group, of those that have some."""
    stress = np.array([sample.stress for sample in samples])
    source = np.array([sample.patient[0] for sample in samples])
    real = stress == AS_IT_IS
    groups = {AS_IT_IS: real}
    groups |= {
        f"{AS_IT_IS}, {name}": real & (source == name) for name in np.unique(source)
    }
    groups |= {STRESSED: ~real}
    groups |= {str(name): stress == name for name in np.unique(stress[~real])}
    return {name: np.flatnonzero(at) for name, at in groups.items() if at.sum() > 1}


def _row(name: str, found: Figures) -> str:
    return ROW.format(
        name,
        found.masks,
        f"{found.pearson:.3f}",
        f"{found.spearman:.3f}",
        f"{found.error:.4f}",
        f"{found.bias:+.4f}",
        f"{found.found} of {found.worst}",
    )


@paper_style()
def _draw(samples: Sequence[Sample], scores: Vector) -> "Figure":
    """Show real masks on the left, stressed ones on the right."""
    dice = np.array([sample.dice for sample in samples])
    source = np.array([sample.patient[0] for sample in samples])
    groups = {name: at for name, at in _groups(samples).items() if name in LOWEST}
    figure = new_figure(PAGE_INCH, 3.7)
    row = figure.subplots(1, len(groups), squeeze=False)[0]
    for axes, (title, at) in zip(row, groups.items(), strict=True):
        low = LOWEST[title]
        axes.set(xlim=(low, 1), ylim=(low, 1), aspect="equal")
        axes.set(xlabel="true Dice", ylabel="predicted Dice")
        axes.axline((1, 1), slope=1, color=FAINT, linewidth=0.8)
        for name in np.unique(source[at]):
            of_source = at[source[at] == name]
            _scatter(axes, str(name), dice[of_source], scores[of_source])
        axes.legend(loc="upper left", markerscale=2)
        axes.locator_params(nbins=5)
        axes.set_title(f"{len(at)} X-rays {title}")
        pearson = measure(scores[at], dice[at]).pearson
        axes.set_title(f"Pearson {pearson:.2f}", loc="right", fontsize=7)
    return figure


def _scatter(axes: "Axes", name: str, dice: Vector, scores: Vector) -> None:
    """Draw a dot for each mask; what lies beyond the axes is drawn at the edge."""
    axes.scatter(
        np.maximum(dice, axes.get_xlim()[0]),
        np.maximum(scores, axes.get_ylim()[0]),
        s=5,
        color=COLOURS.get(name, FAINT),
        label=label(name),
        alpha=0.6,
        linewidths=0,
        clip_on=False,
        zorder=3,
    )


if __name__ == "__main__":
    typer.run(fit_quality)
