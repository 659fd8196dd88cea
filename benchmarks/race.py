"""Races: who trains how many images a second, round by round, and the ratios."""

import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from entries import Entry
from spread import Spread, ratio, spread
from turns import ContestantError, alternate


@dataclass(frozen=True, slots=True)
class Race:
    """What came out.

    Attributes:
        rates: Images per second of each contestant, one value a round.
        facts: What each said of itself: `parameters`, `precision`, `start_s`.
        skipped: Who stayed away, and why.
    """

    rates: dict[str, list[float]]
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def ratios(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Spread]:
        """Return how many times faster the first of each pair was, if both raced."""
        return {
            (one, rival): ratio(self.rates[one], self.rates[rival])
            for one, rival in pairs
            if one in self.rates and rival in self.rates
        }

    def to_dict(self, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the race as a JSON object."""
        return {
            "contestants": {
                name: {
                    **self.facts[name],
                    "images_per_s": rates,
                    **spread(rates).to_dict(),
                }
                for name, rates in self.rates.items()
            },
            "ratios": [
                {"of": one, "to": rival, **found.to_dict()}
                for (one, rival), found in self.ratios(pairs).items()
            ],
            "skipped": self.skipped,
        }


def race(entries: Sequence[Entry], *, rounds: int) -> Race:
    """Start all, let them take turns, and stop them.

    Raises:
        ContestantError: If lungcli cannot start, or anyone drops out later. A rival
            that cannot start is skipped.
    """
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        started = []
        for entry in entries:
            name = entry.contestant.name
            missing = [n for n in entry.needs if importlib.util.find_spec(n) is None]
            if missing:
                skipped[name] = f"not installed: {', '.join(missing)}"
                continue
            try:
                started.append(stack.enter_context(entry.contestant))
            except ContestantError as error:
                if not entry.needs:
                    raise
                skipped[name] = str(error)
        rates = alternate(started, rounds=rounds)
    return Race(rates, {one.name: one.facts for one in started}, skipped)


def show(console: Console, title: str, result: Race, pairs: Any) -> None:
    """Print the rates and the ratios of a race, each as median (lowest-highest)."""
    table = Table(title=title, title_justify="left")
    for column in ("contestant", "images/s", "start, s", "parameters"):
        table.add_column(column, justify="left" if column == "contestant" else "right")
    for name, rates in result.rates.items():
        facts: Mapping[str, Any] = result.facts[name]
        table.add_row(
            name,
            spread(rates).text(1),
            f"{facts['start_s']:.1f}",
            f"{facts['parameters']:,}",
        )
    console.print(table)
    for (one, rival), found in result.ratios(pairs).items():
        console.print(f"  {one} / {rival}: {found.text(2)}", soft_wrap=True)
    for name, why in result.skipped.items():
        console.print(f"  {name} skipped ({why})", markup=False, soft_wrap=True)
