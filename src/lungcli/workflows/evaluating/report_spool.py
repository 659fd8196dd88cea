"""From scored cases to the report: pictures wait on disk until all are scored."""

import math
import pickle
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self, overload

from lungcli.arrays import Gray, LabelMap
from lungcli.metrics.overlap import STRUCTURES
from lungcli.metrics.scores import CaseFacts, CaseScores
from lungcli.pictures.layers import encode_layers
from lungcli.report.content import CasePictures, Report, ReportCase
from lungcli.report.page import write_report
from lungcli.system.temporary import private_folder


class ReportSpool:
    """Cases on disk between the scoring and the page, so that memory stays flat.

    Examples:
        with ReportSpool() as spool:
            spool.add(scores, split="test", image=image, predicted=..., reference=...)
            page = spool.write(folder, report)
    """

    def __enter__(self) -> Self:
        """Make the temporary folder."""
        self._temporary = ExitStack()
        self.folder = self._temporary.enter_context(private_folder())
        self.cases = _SpooledCases(self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove it."""
        self._temporary.close()

    def add(
        self,
        scores: CaseScores,
        *,
        split: str,
        image: Gray | None,
        predicted: LabelMap,
        reference: LabelMap,
    ) -> None:
        """Keep a case; all arrays are on one grid.

        Args:
            scores: Of the case.
            split: Of the data set it comes from; empty without one.
            image: CXR, shape `(height, width)`; None shows the masks on black.
            predicted: Label map of the same shape.
            reference: Label map of the same shape.

        Raises:
            ValueError: If the shapes differ.
        """
        layers = encode_layers(image, predicted, reference)
        facts = scores.facts
        self.cases.append(
            ReportCase(
                name=facts.name,
                source=facts.source,
                case_id=facts.case_id,
                patient_id=facts.patient_id,
                split=split,
                scores=scores.scores,
                flags=_flags(scores),
                facts=_facts(facts, split),
                pictures=CasePictures(**asdict(layers)),
            )
        )

    def write(self, folder: Path, report: Report) -> Path:
        """Write the report into a folder and return the page to open.

        Raises:
            OutputError: If it cannot be written.
        """
        return write_report(folder, report, self.cases)


class _SpooledCases(Sequence[ReportCase]):
    """Cases that are read from disk whenever they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._length = 0

    def append(self, case: ReportCase) -> None:
        self._path(self._length).write_bytes(pickle.dumps(case))
        self._length += 1

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> ReportCase: ...
    @overload
    def __getitem__(self, index: slice) -> list[ReportCase]: ...
    def __getitem__(self, index: int | slice) -> ReportCase | list[ReportCase]:
        places = range(self._length)[index]
        if isinstance(places, range):
            return [self._read(place) for place in places]
        return self._read(places)

    def _read(self, place: int) -> ReportCase:
        case: ReportCase = pickle.loads(self._path(place).read_bytes())  # noqa: S301 - our own
        return case

    def _path(self, place: int) -> Path:
        return self._folder / f"{place}.pickle"


def _flags(scores: CaseScores) -> tuple[str, ...]:
    flags = ["sides swapped"] if scores.swapped else []
    flags += [f"{STRUCTURES[structure]} missed" for structure in scores.missed]
    if math.isnan(scores.dice):
        flags.append("undefined")
    return tuple(flags)


def _facts(facts: CaseFacts, split: str) -> dict[str, str]:
    """Return what is known of a case, in the order in which the viewer lists it."""
    known = {
        "Source": facts.source,
        "Patient": facts.patient_id,
        "Split": split,
        "Size": f"{facts.width} × {facts.height} px",
        "Pixel size": "unknown",
    }
    if facts.spacing_mm is not None:
        known["Pixel size"] = " × ".join(f"{mm:.4g}" for mm in facts.spacing_mm) + " mm"
    known |= {name.capitalize(): value for name, value in facts.groups.items()}
    return {name: value for name, value in known.items() if value}
