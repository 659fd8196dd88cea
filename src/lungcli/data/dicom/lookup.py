"""Look-up tables of a DICOM header: modality LUT and VOI LUT.

pydicom's `apply_modality_lut` and `apply_voi_lut` fail on what archives hold: modality
tables of 12 bits, entries of 8 bits packed or of a stated depth that is none, fewer
entries than stated, and a negative first value that was stored as unsigned.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lungcli.data.dicom.tags import items, numbers


@dataclass(frozen=True, slots=True)
class Lut:
    """Entries for the values `first`, `first + 1`, …; the ends hold beyond them."""

    first: int
    entries: NDArray[np.float64]

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Look up values of any shape, rounded to whole numbers."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        found: NDArray[np.float64] = self.entries[places.astype(np.int64)]
        return found


def read_lut(dataset: Dataset, keyword: str, *, signed: bool) -> Lut | None:
    """Read the first item of a sequence of look-up tables.

    Args:
        dataset: With or without the sequence.
        keyword: `ModalityLUTSequence` or `VOILUTSequence`.
        signed: Whether the values looked up may be negative; then the first of them
            may be, too, whatever its VR.

    Returns:
        The table; None if there is none, or none that can be used.

    References:
        DICOM PS3.3 sections C.11.1.1 and C.11.2.1.1.
    """
    item = next(iter(items(dataset, keyword)), None)
    if item is None:
        return None
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    num_entries, first = int(descriptor[0]) or 2**16, int(descriptor[1])
    if signed and first >= 2**15:
        first -= 2**16
    entries = _entries(item, num_entries, _is_little_endian(dataset))
    return None if entries.size == 0 else Lut(first, entries)


def _entries(
    item: Dataset, num_entries: int, little_endian: bool
) -> NDArray[np.float64]:
    try:
        data: Any = item.get("LUTData")
        if not isinstance(data, bytes):
            entries = np.atleast_1d(np.asarray(data, np.float64))
        elif len(data) < 2 * num_entries:  # 8 bits an entry, packed
            entries = np.frombuffer(data, np.uint8)
        else:
            even = data[: len(data) // 2 * 2]
            entries = np.frombuffer(even, "<u2" if little_endian else ">u2")
    except Exception:  # pydicom converts only now
        return np.empty(0)
    return entries[:num_entries].astype(np.float64)


def _is_little_endian(dataset: Dataset) -> bool:
    return getattr(dataset, "original_encoding", (None, True))[1] is not False
