"""What two lungs look like: the mean of many outlines, and how outlines vary."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Mask

GRID: Final = 16  # cells a side; the outline of a lung is smooth
LONGEST: Final = 3.0  # standard deviations: beyond, a component is no variation
_STEPS: Final = 1000  # stored as whole thousandths, which are shorter to write

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LungShapes:
    """Principal components of pairs of lungs, place and size taken out.

    Attributes:
        mean: Share of each cell that is right, then left lung, shape `(cells,)`.
        components: Of unit length, the one that explains most first, shape
            `(components, cells)`.
        deviations: Standard deviation along each, shape `(components,)`.

    References:
        Cootes et al. (1995), Active shape models: their training and application,
        https://doi.org/10.1006/cviu.1995.1004 (the same idea, of contour points)
    """

    mean: Cells
    components: Cells
    deviations: Cells

    @classmethod
    def learn(cls, pairs: Cells, *, components: int) -> Self:
        """Find the components of many pairs, as `shape_cells` returns them.

        Args:
            pairs: Shape `(n, cells)`, more than `components` of them.
            components: How many to keep.
        """
        mean = pairs.mean(axis=0)
        _, lengths, axes = np.linalg.svd(pairs - mean, full_matrices=False)
        return cls(
            mean=mean,
            components=axes[:components],
            deviations=lengths[:components] / np.sqrt(len(pairs)),
        )

    def distance(self, cells: Cells) -> float:
        """Return how far lungs are from the nearest plausible ones.

        Args:
            cells: From `shape_cells`.

        Returns:
            Area in which the two differ, as a share of the lungs' own; 0 if they
            agree, 0 for empty lungs.
        """
        area = float(cells.sum())
        if not area:
            return 0.0
        limits = LONGEST * self.deviations
        amounts = np.clip(self.components @ (cells - self.mean), -limits, limits)
        nearest = self.mean + amounts @ self.components
        return float(np.abs(cells - nearest).sum()) / area

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON document; numbers are rounded to thousandths."""
        return {
            "mean": _written(self.mean),
            "components": [_written(component) for component in self.components],
            "deviations": [round(float(d), 4) for d in self.deviations],
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            mean=_read(document["mean"]),
            components=np.stack([_read(text) for text in document["components"]]),
            deviations=np.asarray(document["deviations"], dtype=np.float64),
        )


def shape_cells(right: Mask, left: Mask) -> Cells:
    """Return two lungs on a coarse grid over their common bounding box.

    Args:
        right: The patient's right lung, shape `(height, width)`.
        left: Left, of the same shape.

    Returns:
        Share of each cell that is right, then left lung, shape
        `(2 * GRID * GRID,)`; all 0 if both are empty.
    """
    lungs = right | left
    rows = np.flatnonzero(lungs.any(axis=1))
    columns = np.flatnonzero(lungs.any(axis=0))
    if not rows.size:
        return np.zeros(2 * GRID * GRID)
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return np.concatenate([_coarse(lung, box) for lung in (right, left)])


def _coarse(lung: Mask, box: tuple[int, int, int, int]) -> Cells:
    image = Image.fromarray(np.where(lung, np.uint8(255), np.uint8(0)))
    cells = image.resize((GRID, GRID), Image.Resampling.BOX, box=box)
    return np.asarray(cells, dtype=np.float64).ravel() / 255


def _written(values: Cells) -> str:
    return " ".join(str(round(value)) for value in (_STEPS * values).tolist())


def _read(text: str) -> Cells:
    return np.array([int(number) for number in text.split()]) / _STEPS
