"""What the networks that come with lungcli say of stored images and their masks.

They change nothing: what they doubt becomes a finding, for a person to look at.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from lungcli.arrays import Gray, is_lung
from lungcli.checks.gate import Gate
from lungcli.checks.quality import QualityModel
from lungcli.data.audit import disagreement_finding, doubt_findings
from lungcli.data.case import AuditFinding
from lungcli.data.geometry import content_of, resize_labels, resize_square
from lungcli.data.prepared import PreparedCase
from lungcli.data.storing import StoredCase
from lungcli.masks.labels import threshold_labels
from lungcli.metrics.overlap import dice, overlap
from lungcli.system.cores import num_cores
from lungcli.system.progress import Progress
from lungcli.system.threads import in_order
from lungcli.workflows.shared.inference import load_model

_MODEL: Final = "bundled-tiny"  # a quarter of the time; it only tells yes from no
_SURE: Final = 0.95  # its own mask's predicted Dice, from which it is believed
_LEAST_DICE: Final = 0.5


class SecondLook:
    """Looks at stored cases; safe to share between threads.

    Args:
        folder: Of the data set.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gate = Gate.load()
        self._quality = QualityModel.load()
        self._lungs = load_model(_MODEL, threads=1)

    def doubts(self, stored: StoredCase) -> tuple[AuditFinding, ...]:
        """Return what is doubtful of a case; nothing of one that is not stored."""
        row = stored.row
        if row is None:
            return ()
        image = self._read(row.image)
        seen = self._gate.look(content_of(image, row.geometry))
        doubts = []
        if not seen.frontal_chest:
            doubts.append("it does not look like a frontal chest X-ray")
        if seen.inverted:
            doubts.append("it looks inverted: bones are dark")
        if seen.quarter_turns:
            doubts.append("it looks turned")
        found = doubt_findings(stored.case, doubts)
        agreement = self._agreement(image, row) if row.has_mask else None
        if agreement is None or agreement >= _LEAST_DICE:
            return found
        return (*found, disagreement_finding(stored.case, agreement))

    def _agreement(self, image: Gray, row: PreparedCase) -> float | None:
        """Return the Dice of mask and network; None where the network is not sure."""
        lungs = self._lungs
        square = resize_square(image, lungs.size)
        raw = lungs.infer(square)
        labels = threshold_labels(
            lungs.clean(raw), threshold=lungs.threshold, channels=lungs.channels
        )
        if self._quality.score(square, raw, labels) < _SURE:
            return None
        mask = resize_labels(self._read(row.mask), lungs.size)
        return dice(overlap(is_lung(mask), is_lung(labels)))

    def _read(self, name: str) -> Gray:
        return np.asarray(Image.open(self._folder / name))


def look_again(
    stored: Sequence[StoredCase], folder: Path, progress: Progress
) -> tuple[StoredCase, ...]:
    """Return stored cases with the findings of a second look.

    Args:
        stored: Every case.
        folder: The data set that is being written.
        progress: Told after each case, as the task `check`.
    """
    look = SecondLook(folder)
    progress("check", 0, len(stored))
    seen: list[StoredCase] = []
    for found in in_order(look.doubts, stored, num_cores()):
        seen.append(_with_findings(stored[len(seen)], found))
        progress("check", len(seen), len(stored))
    return tuple(seen)


def _with_findings(stored: StoredCase, found: tuple[AuditFinding, ...]) -> StoredCase:
    if stored.row is None or not found:
        return stored
    notes = [stored.row.notes, *(finding.issue.value for finding in found)]
    row = replace(stored.row, notes="; ".join(dict.fromkeys(filter(None, notes))))
    return replace(stored, row=row, findings=(*stored.findings, *found))
