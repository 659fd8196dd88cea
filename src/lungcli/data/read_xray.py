"""Read a chest X-ray of any format: one look inside tells which."""

import threading
from pathlib import Path
from typing import Final

from lungcli.data.images import decode_image
from lungcli.data.opening import DICOM_START, is_dicom, open_file
from lungcli.data.xray import Xray

# pydicom's modules import each other in circles: two threads at once would break them.
_IMPORTING: Final = threading.Lock()


def read_xray(path: Path) -> Xray:
    """Read a CXR of any format: DICOM by its content, others as `decode_image` does.

    Raises:
        ImageError: If the file is missing, empty, broken or no image.
        TooSmallError: If a side has fewer than `MIN_SIDE` pixels.
    """
    with open_file(path) as file:
        start = file.read(DICOM_START)
        file.seek(0)
        if is_dicom(start):
            with _IMPORTING:
                from lungcli.data.dicom.reading import (  # noqa: PLC0415 - takes 0.3 s
                    decode_dicom,
                )

            return decode_dicom(path, file)
        return decode_image(path, file)
