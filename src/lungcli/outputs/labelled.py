"""What every output format is written from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np

from lungcli.anatomy import BACKGROUND, LUNGS, Structure
from lungcli.arrays import Gray, LabelMap, Probabilities, SpacingMm


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledXray:
    """A CXR with its structures, on the pixel grid that its file stores.

    Attributes:
        name: Its place below the output folder, with its suffix: `ward/chest.png`;
            unique in one call.
        image: As decoded, shape `(height, width)`.
        labels: Of the same shape.
        structures: What was looked for, in the order of the table.
        probabilities: Of each of these, `(height, width, structures)`; None unless a
            format needs them.
        spacing_mm: Pixel size; None if unknown.
        quarter_turns: Counter-clockwise turns by 90° that set the grid upright.
        dicom: The DICOM file it came from; None for other formats.
    """

    name: PurePosixPath
    image: Gray
    labels: LabelMap
    structures: tuple[Structure, ...] = LUNGS
    probabilities: Probabilities | None = None
    spacing_mm: SpacingMm | None = None
    quarter_turns: int = 0
    dicom: Path | None = None

    def only(self, wanted: Sequence[Structure]) -> Self:
        """Return it as if nothing else had been looked for."""
        kept = [each in wanted for each in self.structures]
        labels, probabilities = self.labels, self.probabilities
        for structure, is_kept in zip(self.structures, kept, strict=True):
            if not is_kept:
                labels = np.where(labels == structure.label, BACKGROUND, labels)
        if probabilities is not None and not all(kept):
            probabilities = probabilities[..., kept]
        return replace(
            self,
            labels=labels,
            structures=tuple(wanted),
            probabilities=probabilities,
        )
