"""The films that `lungcli visualize` writes into a folder."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Film(StrEnum):
    """All panels side by side, or one of them alone."""

    ALL = "all"
    PREDICTED = "predicted"
    GOLD = "gold"
    DIFFERENCE = "difference"


FILE_NAMES: Final[Mapping[str, str]] = {
    Film.ALL: "output.gif",
    Film.PREDICTED: "predicted.gif",
    Film.GOLD: "gold_std.gif",
    Film.DIFFERENCE: "diff.gif",
}
