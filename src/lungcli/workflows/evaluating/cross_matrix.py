"""The cross matrix: what networks trained on one set score on the others."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lungcli.metrics import catalogue
from lungcli.metrics.catalogue import Reach
from lungcli.system.files import csv_cell, printable, write_text
from lungcli.workflows.evaluating.writer import Evaluation

_COLUMNS: Final = (
    "model",
    "source",
    "cases",
    "patients",
    "trained_on",
    "score",
    "mean",
    "ci95_low",
    "ci95_high",
    "failure_rate",
)
_TEX: Final = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: f"{{{char}}}" for char in "[]*"},  # after the end of a row: its options
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """What one network scores on one source.

    Attributes:
        model: The network.
        source: The source.
        trained_on: How many of the cases the network was trained on.
        summary: Of the source, as `metrics.summary.summarize` has it.
    """

    model: str
    source: str
    trained_on: int
    summary: Mapping[str, Any]

    @property
    def cases(self) -> int:
        """How many cases of the source were scored."""
        return int(self.summary["cases"])

    def mean(self, score: str) -> float | None:
        """Return the mean of a score of both lungs; None if undefined."""
        mean: float | None = self.summary[score]["mean"]
        return mean

    def interval(self, score: str) -> tuple[float, float] | None:
        """Return its 95 % interval; None where there is none."""
        ends = self.summary[score]["ci95"]
        return None if ends is None else (ends[0], ends[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossMatrix:
    """Networks (rows) by sources (columns).

    Attributes:
        models: Names of the rows.
        sources: Names of the columns.
        cells: Of each row, in the order of the columns.
    """

    models: tuple[str, ...]
    sources: tuple[str, ...]
    cells: tuple[tuple[MatrixCell, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return model to source to numbers, a JSON document."""
        return {
            row[0].model: {
                cell.source: {
                    "cases": cell.cases,
                    "trained_on": cell.trained_on,
                    "failure_rate": cell.summary["failure_rate"],
                    **{
                        score: {
                            "mean": cell.mean(score),
                            "ci95": cell.summary[score]["ci95"],
                        }
                        for score in _scores()
                    },
                }
                for cell in row
            }
            for row in self.cells
        }


def build_matrix(
    evaluations: Mapping[str, Evaluation], trained_on: Mapping[str, Mapping[str, int]]
) -> CrossMatrix:
    """Arrange the evaluations of several networks on the same cases.

    Args:
        evaluations: By the name of the network; at least one.
        trained_on: Network to source to how many of its cases the network was
            trained on.
    """
    first = next(iter(evaluations.values()))
    sources = tuple(first.summary["sources"])
    return CrossMatrix(
        models=tuple(evaluations),
        sources=sources,
        cells=tuple(
            tuple(
                MatrixCell(
                    model=name,
                    source=source,
                    trained_on=trained_on[name].get(source, 0),
                    summary=evaluation.summary["sources"][source],
                )
                for source in sources
            )
            for name, evaluation in evaluations.items()
        ),
    )


def write_matrix(
    matrix: CrossMatrix, folder: Path, *, figures: Sequence[str]
) -> list[Path]:
    """Write `matrix.csv`, `matrix.tex` and `matrix.png`, and return their paths.

    Args:
        matrix: What to write.
        folder: Where.
        figures: Formats of the figure besides PNG.

    Raises:
        OutputError: If a file cannot be written.
    """
    table, tex = folder / "matrix.csv", folder / "matrix.tex"
    write_text(table, _to_csv(matrix))
    write_text(tex, to_latex(matrix))
    suffixes = dict.fromkeys(["png", *figures])
    return [table, tex, *_draw(matrix, [folder / f"matrix.{end}" for end in suffixes])]


def to_latex(matrix: CrossMatrix) -> str:
    """Return the matrix of Dice and HD95 as LaTeX table for the package booktabs.

    The best mean of a source is bold, leaving out networks that were trained on cases
    of the column: a dagger marks these.
    """
    best = {
        source: max((_printed_dice(row[column]) for row in matrix.cells), default="")
        for column, source in enumerate(matrix.sources)
    }
    lines = [
        f"% {note}"
        for note in (
            "needs \\usepackage{booktabs}",
            "Dice, mean and 95 % bootstrap interval by patient; below it HD95 in % "
            "of the image diagonal",
        )
    ]
    lines += [
        rf"\begin{{tabular}}{{l{'c' * len(matrix.sources)}}}",
        r"\toprule",
        " & ".join(["model", *map(_escape, matrix.sources)]) + r" \\",
        r"\midrule",
    ]
    for row in matrix.cells:
        dice = [_tex_dice(cell, best[cell.source]) for cell in row]
        hd95 = [_tex_number(cell.mean("hd95_percent"), 2) for cell in row]
        lines.append(" & ".join([_escape(row[0].model), *dice]) + r" \\")
        lines.append(" & ".join(["", *hd95]) + r" \\")
    if any(cell.trained_on for row in matrix.cells for cell in row):
        width = len(matrix.sources) + 1
        note = r"$\dagger$ trained on some of these cases"
        lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{{note}}} \\"]
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(lines)


def _scores() -> list[str]:
    return [metric.comparable for metric in catalogue.shown_in(Reach.MATRIX)]


def _printed_dice(cell: MatrixCell) -> str:
    """Return what is compared: equal prints are equal; empty if it does not count."""
    mean = cell.mean("dice")
    return "" if mean is None or cell.trained_on else _tex_number(mean, 4)


def _tex_dice(cell: MatrixCell, best: str) -> str:
    interval = cell.interval("dice")
    text = _tex_number(cell.mean("dice"), 4)
    if best and _printed_dice(cell) == best:
        text = rf"\textbf{{{text}}}"
    if cell.trained_on:
        text += r"$^\dagger$"
    if interval is not None:
        text += f" ({interval[0]:.3f}--{interval[1]:.3f})"
    return text


def _tex_number(value: float | None, decimals: int) -> str:
    return "--" if value is None else f"{value:.{decimals}f}"


def _escape(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in printable(text))


def _to_csv(matrix: CrossMatrix) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in matrix.cells:
        for cell in row:
            for score in _scores():
                low, high = cell.interval(score) or (None, None)
                values = (
                    cell.model,
                    cell.source,
                    cell.cases,
                    cell.summary["patients"],
                    cell.trained_on,
                    score,
                    cell.mean(score),
                    low,
                    high,
                    cell.summary["failure_rate"],
                )
                writer.writerow([csv_cell(value) for value in values])
    return text.getvalue()


def _draw(matrix: CrossMatrix, paths: Sequence[Path]) -> Sequence[Path]:
    # Matplotlib takes half a second to import
    from lungcli.pictures.figures.matrix import Cell, draw_matrix  # noqa: PLC0415
    from lungcli.pictures.figures.theme import save_figure  # noqa: PLC0415

    def draw(cell: MatrixCell) -> Cell | None:
        mean = cell.mean("dice")
        if mean is None:
            return None
        low, high = cell.interval("dice") or (math.nan, math.nan)
        return Cell(mean=mean, low=low, high=high, seen=cell.trained_on > 0)

    cells = [[draw(cell) for cell in row] for row in matrix.cells]
    title = "Dice, mean and 95 % interval"
    figure = draw_matrix(matrix.models, matrix.sources, cells, title=title)
    for path in paths:
        save_figure(figure, path)
    return paths
