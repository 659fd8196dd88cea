"""The cases as the script of the page reads them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lungcli.metrics import catalogue
from lungcli.metrics.catalogue import UNITS, Metric, Reach
from lungcli.metrics.overlap import LUNGS, PARTS, SIDES
from lungcli.report.content import ReportCase
from lungcli.report.overview import besides_dice
from lungcli.report.texts import cleaned, distance, number, percent
from lungcli.system.files import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table.

    Attributes:
        label: Its heading.
        structure: Whose score; empty for a column of text.
        score: Name of the score.
        digits: Behind the point.
        worst: Which end is the worst: `low` or `high`.
        minor: Whether small screens leave it out.
    """

    label: str
    structure: str = ""
    score: str = ""
    digits: int = 3
    worst: str = "low"
    minor: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case without its pictures.

    Attributes:
        name: For people.
        link: By which it is linked to; no two cases share one.
        source: Name of its source.
        dice: Of both lungs; None if undefined.
        failed: Whether Dice is below the limit.
        flags: What is wrong with it.
        cells: One a column: text, a number, or None for what is undefined.
        details: Structure to texts, one for each of `score_labels`.
        facts: Name to text.
        picture: Number of its pictures; None without.
        search: What the text filter looks at, in lower case.
    """

    name: str
    link: str
    source: str
    dice: float | None
    failed: bool
    flags: tuple[str, ...]
    cells: tuple[str | float | None, ...]
    details: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, str]
    picture: int | None
    search: str


def columns_of(summary: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns; distances in the unit that all cases share."""
    unit = (summary.get("hd95") or {}).get("unit") or "%"
    suffix = next((end for end, shown in UNITS.items() if shown == unit), "percent")
    return (
        Column(label="Case", minor=False),
        Column(label="Source"),
        Column(label="Patient"),
        Column(label="Dice", structure=LUNGS, score="dice", minor=False),
        *(
            Column(label=part.capitalize(), structure=part, score="dice")
            for part in PARTS
            if part != LUNGS and (part in SIDES or part in summary)
        ),
        *(
            Column(
                label=f"{metric.label}, {unit}" if metric.is_distance else metric.label,
                structure=LUNGS,
                score=metric.in_unit(suffix),
                digits=2 if metric.is_distance else 3,
                worst="low" if metric.best == "high" else "high",
                minor=metric.reach < Reach.GROUPS,
            )
            for metric in besides_dice(Reach.SOURCES)
        ),
    )


def parts_in(columns: Iterable[Column]) -> tuple[str, ...]:
    """Return the structures of a table, which the viewer lists for every case."""
    return tuple(dict.fromkeys(each.structure for each in columns if each.structure))


def score_labels() -> tuple[str, ...]:
    """Return what the viewer lists for each structure, as `Row.details` does."""
    return tuple(label for label, _, _ in _listed("px"))


def rows_of(
    cases: Iterable[ReportCase], columns: tuple[Column, ...], limit: float
) -> list[Row]:
    """Return the rows, worst first; undefined ones last.

    Args:
        cases: In any order. The number of a case's pictures is its place here.
        columns: Of the table.
        limit: A Dice below it is a failure.
    """
    seen: Counter[str] = Counter()
    rows = []
    for number_, case in enumerate(cases):
        name = printable(case.name)
        seen[name] += 1
        link = name if seen[name] == 1 else f"{name} ({seen[name]})"
        rows.append(_row(case, columns, limit, link, number_))
    return sorted(rows, key=_worst_first)


def _worst_first(row: Row) -> tuple[bool, float, str]:
    return (row.dice is None, row.dice or 0.0, row.link)


def _row(
    case: ReportCase, columns: tuple[Column, ...], limit: float, link: str, index: int
) -> Row:
    dice = _score(case, LUNGS, "dice")
    failed = dice is not None and dice < limit
    flags = (*((f"Dice below {limit:g}",) if failed else ()), *cleaned(case.flags))
    texts = iter(cleaned((case.case_id, case.source, case.patient_id)))
    cells = (
        _score(case, column.structure, column.score) if column.score else next(texts)
        for column in columns
    )
    words = (case.name, case.patient_id, case.split, *flags, *case.facts.values())
    return Row(
        name=printable(case.name),
        link=link,
        source=printable(case.source),
        dice=dice,
        failed=failed,
        flags=flags,
        cells=tuple(cells),
        details={part: _details(case, part) for part in parts_in(columns)},
        facts=cleaned(case.facts),
        picture=None if case.pictures is None else index,
        search=printable(" ".join(words)).lower(),
    )


def _score(case: ReportCase, structure: str, name: str) -> float | None:
    value = case.scores.get(structure, {}).get(name)
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def _details(case: ReportCase, structure: str) -> tuple[str, ...]:
    has_mm = _score(case, structure, "hd95_mm") is not None
    return tuple(
        _text(_score(case, structure, metric.in_unit(unit)), metric, unit)
        for _, metric, unit in _listed("mm" if has_mm else "px")
    )


def _listed(unit: str) -> list[tuple[str, Metric, str]]:
    """Return label, metric and unit of all that the viewer lists, in its order."""
    ratios = catalogue.ratios()
    distances = sorted(catalogue.distances(), key=lambda m: m.reach < Reach.GROUPS)
    main = (metric for metric in distances if metric.reach >= Reach.GROUPS)
    return [
        *((m.label, m, unit) for m in ratios if m.best != "zero"),
        *((m.label, m, unit) for m in distances),
        *((f"{m.label} of diagonal", m, "percent") for m in main),
        *((m.label, m, unit) for m in ratios if m.best == "zero"),
    ]


def _text(value: float | None, metric: Metric, unit: str) -> str:
    if metric.best == "zero":
        return percent(value, signed=True)
    return distance(value, UNITS[unit]) if metric.is_distance else number(value)
