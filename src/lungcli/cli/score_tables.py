"""Tables of scores on the terminal. Loads NumPy: imported by a command when it runs."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from lungcli.cli.output import count_cases, out, plain
from lungcli.metrics.catalogue import UNITS, Metric, Reach, metric_of, shown_in
from lungcli.metrics.overlap import LUNGS, NAN, PARTS, noun_of
from lungcli.metrics.scores import CaseScores, parts_of
from lungcli.metrics.summary import worst_first
from lungcli.workflows.evaluating.compare import Comparison, PairedDifference
from lungcli.workflows.evaluating.cross_matrix import CrossMatrix, MatrixCell

_SIGNIFICANT: Final = 0.05
_ScoreRow = tuple[Metric, str, str]  # metric, structure, name of its block


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a table: one block for all cases, one for each source.

    Pixels, and units that not all sources have, cannot be compared: there % of the
    image diagonal stands beside them.
    """
    table = Table(title=f"{count_cases(summary['cases'])}, split {summary['split']}")
    table.add_column("score", overflow="fold")  # a long source; numbers stay whole
    for name in ("mean", "95 % interval", "median", "worst 5 %", "worst"):
        table.add_column(name, justify="right", no_wrap=True)
    sources = summary["sources"]
    groups = {"all": summary, **sources} if len(sources) > 1 else sources
    for number, (source, group) in enumerate(groups.items()):
        table.add_row(f"[bold]{plain(source)}[/bold] ({group['cases']})")
        unit = group["hd95"]["unit"]
        comparable = unit == "%" or unit == summary["hd95"]["unit"] == "mm"
        parts = tuple(part for part in PARTS if part == LUNGS or part in group)
        rows = _rows(parts, brief=number > 0, percent=not comparable)
        _add_group(table, group, rows)
    out.print(table)
    out.print(_failures(summary), soft_wrap=True, highlight=False)


def _rows(parts: Sequence[str], *, brief: bool, percent: bool) -> Iterator[_ScoreRow]:
    """Yield what is said of a group, of some metrics for each structure as well."""
    for metric in shown_in(Reach.SOURCES if brief else Reach.TERMINAL):
        of = parts if metric.reach >= Reach.GROUPS else (LUNGS,)
        yield from ((metric, part, metric.name) for part in of)
    for metric in shown_in(Reach.SOURCES) if percent else ():
        if metric.is_distance:
            yield metric, LUNGS, metric.comparable


def print_worst(cases: Sequence[CaseScores], count: int = 5) -> None:
    """Print the cases with the lowest Dice."""
    table = Table(title=f"lowest Dice, {min(count, len(cases))} of {len(cases)}")
    for name in ("source", "case"):
        table.add_column(name, overflow="fold")
    parts = parts_of(cases)
    for name in ("Dice", *(PARTS[part] for part in parts if part != LUNGS)):
        table.add_column(name, justify="right")
    for case in worst_first(cases)[:count]:
        values = (case.scores.get(part, {}).get("dice", NAN) for part in parts)
        table.add_row(
            plain(case.source),
            plain(case.case_id),
            *("-" if math.isnan(value) else f"{value:.4f}" for value in values),
        )
    out.print(table)


def print_comparison(comparison: Comparison) -> None:
    """Print the matrix of networks by sources, and how each differs from the first."""
    _print_matrix(comparison.matrix)
    for name in list(comparison.evaluations)[1:]:
        _print_differences([d for d in comparison.differences if d.second == name])
    out.print("p by permutation, corrected after Holm for all that was tested")


def _print_matrix(matrix: CrossMatrix) -> None:
    table = Table(title="Dice, mean and 95 % interval by patient")
    table.add_column("model", overflow="fold")
    for source in matrix.sources:
        table.add_column(plain(source), justify="right")
    for row in matrix.cells:
        table.add_row(plain(row[0].model), *map(_cell, row))
    out.print(table)
    if any(cell.trained_on for row in matrix.cells for cell in row):
        out.print("* trained on some of these cases", highlight=False)


def _cell(cell: MatrixCell) -> str:
    mean, interval = cell.mean("dice"), cell.interval("dice")
    if mean is None:
        return "-"
    text = f"{mean:.4f}{'*' if cell.trained_on else ''}"
    return text if interval is None else f"{text}\n{_interval(interval, 3)}"


def _print_differences(rows: Sequence[PairedDifference]) -> None:
    """Print how one network differs from the first, a section for each source."""
    names = plain(f"{rows[0].second} minus {rows[0].first}")
    table = Table(title=f"{names}, on the same cases")
    for title in ("source", "score"):
        table.add_column(title, overflow="fold")
    for title in ("difference", "95 % interval", "p"):
        table.add_column(title, justify="right", no_wrap=True)
    before = rows[0].difference.source
    for found in (row.difference for row in rows):
        if found.source != before:
            table.add_section()
        before = found.source
        metric = metric_of(found.score)
        decimals = _decimals(metric)
        table.add_row(
            plain(found.source),
            _score_title(metric, found.structure, found.score),
            f"{found.mean:+.{decimals}f}",
            "-" if found.ci95 is None else _interval(found.ci95, decimals, sign="+"),
            f"{found.p_holm:.4f}",
            style="bold" if found.p_holm < _SIGNIFICANT else None,
        )
    out.print(table)


def _score_title(metric: Metric, structure: str, score: str) -> str:
    unit = UNITS.get(score.removeprefix(f"{metric.name}_"), "")
    title = f"{_label(metric)} {unit}".rstrip()
    return title if structure == LUNGS else f"{title}, {structure}"


def _add_group(
    table: Table, group: Mapping[str, Any], rows: Iterable[_ScoreRow]
) -> None:
    for metric, part, name in rows:
        score = (group if part == LUNGS else group[part])[name]
        unit = score.get("unit", "" if name == metric.name else "%")
        title = _label(metric) if part == LUNGS else f"  {PARTS[part]}"
        decimals = _decimals(metric)
        tail, worst = (
            None if score["mean"] is None else min(ends, key=metric.goodness)
            for ends in ((score["p5"], score["p95"]), (score["min"], score["max"]))
        )
        ends = score["ci95"]
        table.add_row(
            f"  {title} {unit}".rstrip(),
            _number(score["mean"], decimals),
            "-" if ends is None else _interval(ends, decimals),
            *(_number(number, decimals) for number in (score["median"], tail, worst)),
        )
    table.add_section()


def _failures(summary: Mapping[str, Any]) -> str:
    """Say in a line or two what a mean would hide."""
    defined = summary["cases"] - summary["dice"]["undefined"]
    said = [
        f"{len(summary['failures'])} of {count_cases(defined)} below Dice "
        f"{summary['failure_dice']:g}"
    ]
    if summary["failure_rate"] is not None:
        low, high = summary["failure_rate_ci95"]
        said[0] += f" ({summary['failure_rate']:.1%}; {low:.1%} to {high:.1%})"
    for key, what in (
        ("missed", "with {}s in one mask alone (distance: the image diagonal)"),
        ("swapped", "with sides that look swapped"),
        ("undefined_cases", "with {}s in neither mask (undefined: in no mean)"),
        ("ignored", "with pixels of which the reference says nothing (in no score)"),
    ):
        if names := _by_case(entries := list(summary.get(key, ()))):
            noun = noun_of(entry.rpartition(": ")[2] for entry in entries)
            told = f"{count_cases(len(names))} {what.format(noun)}"
            said.append(f"{told}: {_some(names)}")
    return "\n".join(map(plain, said))


def _by_case(entries: Sequence[str]) -> list[str]:
    """Put what is said of a case's `lungs`, `right` and `left` together."""
    cases: dict[str, list[str]] = {}
    for entry in entries:
        case, _, part = entry.rpartition(": ")
        if part in PARTS:
            cases.setdefault(case, []).append(part)
        else:
            cases[entry] = []
    return [f"{c} ({', '.join(p)})" if p else c for c, p in cases.items()]


def _label(metric: Metric) -> str:
    return metric.on_terminal or metric.label


def _decimals(metric: Metric) -> int:
    return 2 if metric.is_distance else 4


def _some(names: Sequence[str], count: int = 3) -> str:
    return "; ".join(names[:count]) + ("; ..." if len(names) > count else "")


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _interval(ends: Sequence[float], decimals: int, sign: str = "") -> str:
    low, high = ends
    return f"{low:{sign}.{decimals}f} to {high:{sign}.{decimals}f}"
