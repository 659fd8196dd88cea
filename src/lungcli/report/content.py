"""What a report shows, as plain values: the workflow fills it in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePictures:
    """The pictures of one case, all of one size, made to lie over each other.

    Attributes:
        width: In pixels.
        height: In pixels.
        structures: Keys of what the pictures show, whose colours are explained.
        xray: WebP; None if there is no X-ray: the masks then lie on black.
        predicted: PNG, transparent outside the lungs.
        gold: PNG, likewise.
        difference: PNG, likewise.
    """

    width: int
    height: int
    structures: tuple[str, ...] = ("right", "left")
    xray: bytes | None
    predicted: bytes
    gold: bytes
    difference: bytes

    def files(self) -> dict[str, bytes]:
        """Return each picture there is under a file name that tells its format."""
        overlays = {
            "predicted.png": self.predicted,
            "gold.png": self.gold,
            "difference.png": self.difference,
        }
        return overlays if self.xray is None else {"xray.webp": self.xray, **overlays}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCase:
    """One case of the report. Its texts may be anything: the page escapes them.

    Attributes:
        name: `source/case_id`; by it the case is linked to.
        source: Name of its source.
        case_id: Its name there.
        patient_id: Whose X-ray it is.
        split: Of the data set it comes from; empty without one.
        scores: Structure (`lungs`, `right`, `left`) to score name to value; NaN for
            what is undefined.
        flags: What is wrong with it, in words: `sides swapped`.
        facts: What else is known, name to value, in the order to be shown.
        pictures: None if there are none.
    """

    name: str
    source: str
    case_id: str
    patient_id: str
    split: str
    scores: Mapping[str, Mapping[str, float]]
    flags: tuple[str, ...] = ()
    facts: Mapping[str, str]
    pictures: CasePictures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says about all cases together.

    Attributes:
        title: Of the page.
        summary: What `summary.json` holds; any part of it may be missing or None.
        history: Rows of the run's `history.csv`; empty without a run.
    """

    title: str
    summary: Mapping[str, Any]
    history: Sequence[Mapping[str, float]] = ()
