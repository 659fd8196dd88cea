"""What stands above the cases: cards, alarms and tables, drawn from the summary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lungcli.metrics import catalogue
from lungcli.metrics.catalogue import Metric, Reach
from lungcli.metrics.overlap import LUNGS, PARTS, noun_of
from lungcli.report.texts import UNDEFINED, count, distance, interval, number, percent

Block = Mapping[str, Any]  # of summary.json: a group of cases, or one of its scores

_GROUPS: Final = {"finding": "Finding", "view": "View", "sex": "Sex", "age": "Age"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a table or card.

    Attributes:
        text: What it says.
        detail: A smaller line below it.
        case: Name of the case that it links to, if any.
    """

    text: str
    detail: str = ""
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A headline number; `alarming` if it should be seen at once."""

    label: str
    value: Cell
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """Cases that need a look: a title, why it matters, and which they are."""

    title: str
    meaning: str
    cases: tuple[Cell, ...]

    @property
    def num_cases(self) -> int:
        """A case is listed once for each lung."""
        return len({cell.case for cell in self.cases})


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a heading each; the first column names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def cards(summary: Block) -> list[Card]:
    """Return the headline numbers."""
    dice = _block(summary, "dice")
    failures = summary.get("failures") or []
    return [
        Card("Dice, mean", _mean(dice, "95 % CI ")),
        Card("Worst case", _worst(dice)),
        Card("Failure rate", _failure_rate(summary), alarming=bool(failures)),
        *(
            Card(f"{metric.label}, mean", _value(summary, metric, before="95 % CI "))
            for metric in besides_dice(Reach.SOURCES)
        ),
    ]


def besides_dice(reach: Reach) -> list[Metric]:
    """Return what stands beside Dice in a place.

    Distances stand before the surface Dice, and last is what has its best in between.
    """
    others = [metric for metric in catalogue.shown_in(reach) if metric.name != "dice"]
    return sorted(others, key=lambda m: (m.best == "zero", m.of_contours is not None))


def alarms(summary: Block) -> list[Alarm]:
    """Return what is wrong with single cases; nothing for what does not occur."""
    missed, undefined = (
        noun_of(_part_of(text) for text in summary.get(name) or [])
        for name in ("missed", "undefined_cases")
    )
    of_none = "a lung" if undefined == "lung" else "this structure"
    found = [
        Alarm(
            "Sides swapped",
            "The right lung was labelled left, and the left one right.",
            _cases(summary, "swapped"),
        ),
        Alarm(
            f"{missed.capitalize()} missed",
            f"Only one of the two masks has this {missed}: Dice 0, and the diagonal of "
            "the image for every distance.",
            _cases(summary, "missed"),
        ),
        Alarm(
            "Undefined",
            f"Neither mask has {of_none}, so there is nothing to score; in no mean.",
            _cases(summary, "undefined_cases"),
        ),
    ]
    return [alarm for alarm in found if alarm.cases]


def _part_of(text: str) -> str:
    return text.rpartition(": ")[2]


def _cases(summary: Block, name: str) -> tuple[Cell, ...]:
    """Return the cases of a list of `case` or `case: structure`."""
    cells = []
    for text in summary.get(name) or []:
        case, _, structure = text.rpartition(": ")
        cells.append(Cell(text, case=case if structure in PARTS else text))
    return tuple(cells)


def size_of(group: Block) -> str:
    """Return how many cases, patients and sources a group has."""
    parts = [count(group.get("cases") or 0, "case")]
    if group.get("patients"):
        parts.append(count(group["patients"], "patient"))
    if sources := len(group.get("sources") or {}):
        parts.append(count(sources, "source"))
    return " · ".join(parts)


def tables(summary: Block) -> list[Table]:
    """Return the tables by source, by structure and by subgroup."""
    return [_source_table(summary), _lung_table(summary), *_subgroup_tables(summary)]


def _source_table(summary: Block) -> Table:
    sources = _block(summary, "sources")
    groups = [*sources.values(), summary]
    apart = _apart(summary)
    scores = {
        metric: _comparable(metric, groups) for metric in besides_dice(Reach.SOURCES)
    }
    rows = [
        (str(name), _group_cells(group, apart, scores))
        for name, group in sources.items()
    ]
    if len(rows) > 1:
        rows.append(("All cases", _group_cells(summary, apart, scores)))
        rows.append(("Mean over sources", _mean_over_sources(summary, apart, scores)))
    head = ("Source", "Cases", "Dice", "Median", "5th pct.", "Worst", "Failures")
    sides = (f"{part.capitalize()} Dice" for part in _apart(summary))
    labels = (metric.label for metric in scores)
    return Table("By source", (*head, *sides, *labels), tuple(rows))


def _comparable(metric: Metric, groups: Sequence[Block]) -> str:
    """Return the name of the block of a metric whose unit is the same in all groups.

    Pixels of one source are not those of another, and people compare what stands
    in one column.
    """
    units = {_block(group, metric.name).get("unit") for group in groups}
    return metric.name if len(units) == 1 else metric.comparable


def _group_cells(
    group: Block, apart: Sequence[str], scores: Mapping[Metric, str]
) -> tuple[Cell, ...]:
    dice = _block(group, "dice")
    return (
        Cell(f"{group.get('cases') or 0:,}", detail=_patients(group)),
        _mean(dice),
        Cell(number(dice.get("median"))),
        Cell(number(dice.get("p5"))),
        _worst(dice, named=False),
        Cell(percent(group.get("failure_rate"))),
        *_dice_of_each(group, apart),
        *(_value(group, metric, name) for metric, name in scores.items()),
    )


def _apart(summary: Block) -> tuple[str, ...]:
    """Return what is scored beside the lungs together."""
    return tuple(part for part in PARTS if part != LUNGS and part in summary)


def _dice_of_each(group: Block, apart: Sequence[str]) -> Iterator[Cell]:
    for part in apart:
        yield _mean(_block(_block(group, part), "dice"))


def _mean_over_sources(
    summary: Block, apart: Sequence[str], scores: Mapping[Metric, str]
) -> tuple[Cell, ...]:
    means = _block(summary, "mean_over_sources")
    rate = means.get("failure_rate")
    nothing = Cell("")
    return (
        nothing,
        _mean(_block(means, "dice")),
        *(nothing,) * 3,
        Cell(percent(rate.get("mean") if isinstance(rate, Mapping) else rate)),
        *_dice_of_each(means, apart),
        *(_value(means, metric, name) for metric, name in scores.items()),
    )


def _lung_table(summary: Block) -> Table:
    metrics = besides_dice(Reach.LUNGS)
    rows = []
    for part in (LUNGS, *_apart(summary)):
        group = summary if part == LUNGS else _block(summary, part)
        cells = (_value(group, metric) for metric in metrics)
        rows.append((PARTS[part].capitalize(), (_mean(_block(group, "dice")), *cells)))
    labels = (metric.as_heading or metric.label for metric in metrics)
    return Table(f"By {noun_of(_apart(summary))}", ("", "Dice", *labels), tuple(rows))


def _subgroup_tables(summary: Block) -> Iterator[Table]:
    for kind, values in _block(summary, "subgroups").items():
        rows = tuple(
            (str(value), tuple(_subgroup_cells(group)))
            for value, group in (values or {}).items()
        )
        if rows:
            label = _GROUPS.get(kind, kind.capitalize())
            labels = (metric.label for metric in catalogue.shown_in(Reach.GROUPS))
            head = (label, "Cases", *labels, "Failures")
            yield Table(f"By {label.lower()}", head, rows)


def _subgroup_cells(group: Block) -> Sequence[Cell]:
    return (
        Cell(f"{group.get('cases') or 0:,}", detail=_patients(group)),
        *(_value(group, m, m.comparable) for m in catalogue.shown_in(Reach.GROUPS)),
        Cell(percent(group.get("failure_rate"))),
    )


def _mean(score: Block, before: str = "") -> Cell:
    bounds = interval(score.get("ci95"))
    return Cell(number(score.get("mean")), detail=before + bounds if bounds else "")


def _value(group: Block, metric: Metric, name: str = "", before: str = "") -> Cell:
    """Return the mean of a metric, from the block of a name if not of its own."""
    score = _block(group, name or metric.name)
    if metric.best == "zero":
        return Cell(percent(score.get("mean"), signed=True))
    if not metric.is_distance:
        return _mean(score, before)
    unit = score.get("unit") or ("%" if name == metric.comparable else "")
    bounds = interval(score.get("ci95"), 2)
    detail = before + bounds if bounds else ""
    return Cell(distance(score.get("mean"), unit), detail=detail)


def _worst(dice: Block, *, named: bool = True) -> Cell:
    if dice.get("worst") is None:
        return Cell(UNDEFINED)
    name = f"{dice.get('worst_source')}/{dice['worst']}"
    return Cell(number(dice.get("min")), detail=name if named else "", case=name)


def _failure_rate(summary: Block) -> Cell:
    failures = summary.get("failures") or []
    limit = number(summary.get("failure_dice"), 2)
    detail = f"{count(len(failures), 'case')} below Dice {limit}"
    bounds = summary.get("failure_rate_ci95")
    if bounds:
        detail += f" · 95 % CI {interval([100 * bound for bound in bounds], 1)} %"
    return Cell(percent(summary.get("failure_rate")), detail=detail)


def _patients(group: Block) -> str:
    patients = group.get("patients")
    return count(patients, "patient") if patients else ""


def _block(parent: Block, name: str) -> Block:
    """Return a part of the summary; an empty one if it is missing or None."""
    part = parent.get(name)
    return part if isinstance(part, Mapping) else {}
