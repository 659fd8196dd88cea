"""Labels and probabilities as a NumPy archive."""

import math
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import LUNGS
from lungcli.arrays import Probabilities
from lungcli.outputs.labelled import LabelledXray
from lungcli.system.files import whole_file

_LEVEL: Final = 1  # the deepest take three times as long for a third less
_SMALLEST: Final = float(np.finfo(np.float16).smallest_normal)  # 0.00006


def write_npz(xray: LabelledXray, path: Path) -> Path:
    """Write what is known of a CXR as a compressed `.npz` file, and return `path`.

    `labels` is uint8 `(height, width)`; `probabilities` float16
    `(height, width, structures)` where they were kept, with less than 0.00006 as 0;
    `structures` the keys of its channels, left out if they are right and left;
    `spacing_mm` float64 (row, column), NaN if unknown. `numpy.load` reads it without
    pickle. Equal arrays give equal bytes.

    Args:
        xray: The CXR with its labels.
        path: The file; parent folders are made. Whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {
        "labels": xray.labels,
        "spacing_mm": np.array(xray.spacing_mm or (math.nan, math.nan)),
    }
    if xray.probabilities is not None:
        arrays["probabilities"] = _halved(xray.probabilities)
    if xray.structures != LUNGS:
        arrays["structures"] = np.array([each.key for each in xray.structures])
    with (
        whole_file(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as file,
    ):
        for name, values in arrays.items():
            # an entry that is opened by its name is dated 1980, whatever the clock says
            with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, values, allow_pickle=False)
    return path


def _halved(probabilities: Probabilities) -> NDArray[np.float16]:
    # Rounding to float16's subnormal numbers takes ten times as long as all the rest,
    # and most of an X-ray is background with a probability that small.
    kept = np.where(probabilities < _SMALLEST, 0, probabilities)
    return kept.astype(np.float16)
