"""Learn the quality score from masks that a network made of unseen X-rays.

    lungcli train --folds 5 --run runs/folds ...     # networks like the final one
    python tools/fit_quality.py runs/folds           # into src/lungcli/models/quality

Figures are of patients that taught neither the networks nor the score.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from quality_learn import Figures, learn, measure, score_others
from quality_material import AS_IT_IS, Sample, collect

from lungcli.arrays import Rgb
from lungcli.checks.quality import QUALITY_JSON, Vector
from lungcli.errors import LungcliError
from lungcli.files import write_json
from lungcli.pictures.colours import EXTRA, LEFT_LUNG, QUIET, RIGHT_LUNG, Colour
from lungcli.pictures.film import write_png
from lungcli.pictures.scatter import Dots, Scatter, draw_scatter

COLOURS: dict[str, Colour] = {
    "jsrt": LEFT_LUNG,
    "montgomery": EXTRA,
    "shenzhen": RIGHT_LUNG,
}
PANEL = (560, 600)
STRESSED = "stressed"
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
        Path | None, typer.Option(help="Scatter plot, without any X-ray: a PNG.")
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
            write_png(_draw(samples, scores), picture)
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


def _draw(samples: Sequence[Sample], scores: Vector) -> Rgb:
    """Show real masks on the left, stressed ones on the right."""
    dice = np.array([sample.dice for sample in samples])
    source = np.array([sample.patient[0] for sample in samples])
    panels = []
    for title, low in ((AS_IT_IS, 0.8), (STRESSED, 0.0)):
        chosen = _groups(samples).get(title)
        if chosen is None:
            continue
        dots = [
            Dots(name, dice[at], scores[at], COLOURS.get(name, QUIET))
            for name in np.unique(source)
            for at in [chosen[source[chosen] == name]]
        ]
        note = f"Pearson {measure(scores[chosen], dice[chosen]).pearson:.2f}"
        scatter = Scatter(
            title=f"{len(chosen)} X-rays {title}",
            dots=tuple(dots),
            low=low,
            high=1.0,
            x_name="true Dice",
            y_name="predicted Dice",
            note=note,
        )
        panels.append(np.asarray(draw_scatter(scatter, PANEL)))
    return np.concatenate(panels, axis=1)


if __name__ == "__main__":
    typer.run(fit_quality)
