"""What every output format is written from."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lungcli.arrays import Gray, LabelMap, Probabilities, SpacingMm


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledXray:
    """A CXR with its lungs, on the pixel grid that its file stores.

    Attributes:
        name: Its place below the output folder, with its suffix: `ward/chest.png`;
            unique in one call.
        image: As decoded, shape `(height, width)`.
        labels: Of the same shape.
        probabilities: Of the same height and width; None unless a format needs them.
        spacing_mm: Pixel size; None if unknown.
        quarter_turns: Counter-clockwise turns by 90° that set the grid upright.
        dicom: The DICOM file it came from; None for other formats.
    """

    name: PurePosixPath
    image: Gray
    labels: LabelMap
    probabilities: Probabilities | None = None
    spacing_mm: SpacingMm | None = None
    quarter_turns: int = 0
    dicom: Path | None = None
