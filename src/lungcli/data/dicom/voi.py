"""Values of interest: what a DICOM header wants shown, as levels from 0 to 1.

Not by pydicom's `apply_windowing`, whose range of gray values is upside down where the
rescale slope is negative.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lungcli.data.dicom.lookup import Lut, read_lut
from lungcli.data.dicom.tags import code, numbers


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the given centre and width.

    References:
        DICOM PS3.3 sections C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID,
        LINEAR_EXACT).
    """

    centre: float
    width: float
    function: str = "LINEAR"

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return levels in [0, 1]."""
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):  # exp(-inf): the level is 0
                return 1.0 / (1.0 + np.exp(-4.0 * (values - self.centre) / self.width))
        centre, width = self.centre, self.width
        if self.function == "LINEAR":
            centre, width = centre - 0.5, width - 1.0
        if width == 0.0:
            return (values > centre).astype(np.float64)
        return np.clip((values - centre) / width + 0.5, 0.0, 1.0)

    def __str__(self) -> str:
        return f"window {self.centre:g}/{self.width:g} ({self.function})"


@dataclass(frozen=True, slots=True)
class VoiLut:
    """A table; its own smallest and largest entries become 0 and 1.

    Not `2**bits - 1`: many a header states more bits than its entries use.
    """

    lut: Lut

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return levels in [0, 1]."""
        low, high = self.lut.entries.min(), self.lut.entries.max()
        levels: NDArray[np.float64] = (self.lut(values) - low) / max(high - low, 1.0)
        return levels

    def __str__(self) -> str:
        return "VOI LUT"


Voi = Window | VoiLut


def read_voi(dataset: Dataset, *, signed: bool) -> Voi | None:
    """Return the first view that the header offers: a table, or else a window.

    Args:
        dataset: With or without `VOILUTSequence`, `WindowCenter`, `WindowWidth`.
        signed: Whether the values may be negative.

    Returns:
        The view; None if there is none, or none that is well formed.
    """
    lut = read_lut(dataset, "VOILUTSequence", signed=signed)
    if lut is not None:
        return VoiLut(lut)
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    function = code(dataset, "VOILUTFunction")
    if function not in {"LINEAR_EXACT", "SIGMOID"}:
        function = "LINEAR"
    smallest = 1.0 if function == "LINEAR" else np.nextafter(0.0, 1.0)
    if not centres or not widths or widths[0] < smallest:
        return None
    return Window(centres[0], widths[0], function)
