"""Which files an evaluation writes. Loads nothing: the command line asks it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lungcli.errors import ConfigError


class FigureFormat(StrEnum):
    """Format of figures; SVG and PDF are made of vectors."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOutputs:
    """Which files an evaluation writes besides its numbers.

    Attributes:
        report: Whether to write the page to look through.
        figures: Formats of the figures, out of `FigureFormat`; empty for none.
    """

    report: bool = True
    figures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        unknown = sorted(set(self.figures) - set(FigureFormat))
        if unknown:
            known = ", ".join(FigureFormat)
            msg = f"figures as {', '.join(unknown)}: choose from {known}."
            raise ConfigError(msg)


DEFAULT_OUTPUTS: Final = EvaluationOutputs()
