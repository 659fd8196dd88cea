"""What is known of one X-ray after `predict`, and its line of the journal."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, Self

from lungcli.arrays import SpacingMm
from lungcli.system.documents import parse_fields
from lungcli.workflows.predicting.formats import TABLES


class Status(StrEnum):
    """What became of an X-ray; all but `FAILED` is final."""

    OK = "ok"
    DOUBTFUL = "doubtful"  # labelled, and a person should look at it
    REFUSED = "refused"
    FAILED = "failed"  # a restart tries it again

    @property
    def is_labelled(self) -> bool:
        """Whether there is a mask."""
        return self in {Status.OK, Status.DOUBTFUL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An X-ray that could be read.

    Attributes:
        height: Rows of the stored grid.
        width: Columns of it.
        spacing_mm: Pixel size (row, column); None if unknown.
        spacing_source: Where it comes from, e.g. `PixelSpacing`; empty if unknown.
        corrected: What was done for the network, e.g. `turned 180°`.
        doubts: What a person should check, of the X-ray and of its mask.
        notes: What was done to decode it, and what could not be written.
    """

    height: int
    width: int
    spacing_mm: SpacingMm | None
    spacing_source: str
    corrected: tuple[str, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the network found.

    Attributes:
        lungs: Which: `both`, `right`, `left` or `none`.
        quality: Predicted Dice of the mask, in [0, 1].
    """

    lungs: str
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of an X-ray.

    Attributes:
        name: Its place below the output folder, with its suffix.
        seconds: How long it took.
        film: None if it could not be read.
        finding: None if it has no mask.
        tables: What it contributes to each file for all X-rays, by the name of the
            format, in the order that was asked for.
        error: Why it has no mask; None if it has one.
    """

    name: str
    seconds: float
    film: Film | None = None
    finding: Finding | None = None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: str | None = None

    @property
    def corrected(self) -> tuple[str, ...]:
        """What was done for the network."""
        return self.film.corrected if self.film else ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """What a person should check."""
        return self.film.doubts if self.film else ()

    def to_document(self) -> dict[str, Any]:
        """Return it as a flat JSON object, without what is not known."""
        return {
            **_flat(self.film),
            **self.tables,
            **_flat(self.finding),
            **({} if self.error is None else {"error": self.error}),
            "name": self.name,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one X-ray.

    Attributes:
        stem: Its outputs' name below the output folder, without their suffixes;
            unique in one call.
        shown: What messages call it.
        status: Whether it is labelled.
        index: Its place among all X-rays of the call that finished it, from 0.
        state: As `Input.state` told before it was read.
        outputs: Bytes of each file written, by its name below the output folder.
        record: What else is known of it.
    """

    stem: str
    shown: str
    status: Status
    index: int = 0
    state: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    record: Record

    def without_tables(self) -> Self:
        """Return it without what it contributes to tables, which is large."""
        return replace(self, record=replace(self.record, tables={}))

    def to_document(self) -> dict[str, Any]:
        """Return it as a JSON object, a line of the journal."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "record": self.record.to_document()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return what `to_document` has written.

        Raises:
            ValueError: If it has not.
        """
        record = document.get("record")
        parts = _parts(record) if isinstance(record, dict) else record
        return parse_fields(cls, {**document, "record": parts})


_FILM: Final = tuple(each.name for each in fields(Film))
_FINDING: Final = tuple(each.name for each in fields(Finding))


def _flat(part: Film | Finding | None) -> dict[str, Any]:
    values = {} if part is None else asdict(part)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _parts(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as its dataclasses have it; none of it is checked."""
    rest = dict(flat)

    def take(names: Iterable[str]) -> dict[str, Any]:
        return {name: rest.pop(name) for name in names if name in rest}

    film, finding = take(_FILM), take(_FINDING)
    tables = take([name for name in flat if name in TABLES])
    known = {"film": film or None, "finding": finding or None, "tables": tables}
    return {**rest, **known}
