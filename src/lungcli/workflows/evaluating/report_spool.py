"""From scored cases to the report: pictures wait on disk until all are scored."""

import math
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from lungcli.arrays import Gray, LabelMap
from lungcli.metrics.overlap import PARTS
from lungcli.metrics.scores import CaseScores
from lungcli.pictures.layers import encode_layers
from lungcli.report.content import CasePictures, Report, ReportCase
from lungcli.report.page import write_report
from lungcli.system.spool import Spool


class ReportSpool:
    """Cases on disk between the scoring and the page, so that memory stays flat.

    Examples:
        with ReportSpool() as spool:
            spool.add(scores, split="test", image=image, predicted=..., reference=...)
            page = spool.write(folder, report)
    """

    def __enter__(self) -> Self:
        """Make the temporary file."""
        self._file = TemporaryFile()
        self.cases: Spool[ReportCase] = Spool(self._file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove it."""
        self._file.close()

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
                facts=_facts(scores, split),
                pictures=CasePictures(**asdict(layers)),
            )
        )

    def write(self, folder: Path, report: Report) -> Path:
        """Write the report into a folder and return the page to open.

        Raises:
            OutputError: If it cannot be written.
        """
        return write_report(folder, report, self.cases)


def _flags(scores: CaseScores) -> tuple[str, ...]:
    flags = ["sides swapped"] if scores.swapped else []
    flags += [f"{PARTS[structure]} missed" for structure in scores.missed]
    if math.isnan(scores.dice):
        flags.append("undefined")
    return tuple(flags)


def _facts(scores: CaseScores, split: str) -> dict[str, str]:
    """Return what is known of a case, in the order in which the viewer lists it."""
    facts = scores.facts
    known = {
        "Source": facts.source,
        "Patient": facts.patient_id,
        "Split": split,
        "Size": f"{facts.width} × {facts.height} px",
        "Pixel size": "unknown",
        "Ignored": f"{scores.ignored:,} px" if scores.ignored else "",
    }
    if facts.spacing_mm is not None:
        known["Pixel size"] = " × ".join(f"{mm:.4g}" for mm in facts.spacing_mm) + " mm"
    known |= {name.capitalize(): value for name, value in facts.groups.items()}
    return {name: value for name, value in known.items() if value}
