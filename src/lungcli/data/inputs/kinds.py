"""Which files are taken for X-rays when nobody has named them one by one."""

import os
import re
from pathlib import PurePosixPath
from typing import Final

from lungcli.data.images import RAW_SUFFIX
from lungcli.data.opening import DICOM_SUFFIXES, IMAGE_SUFFIXES

SUFFIXES: Final = IMAGE_SUFFIXES | DICOM_SUFFIXES | {RAW_SUFFIX}
KINDS: Final = f"{', '.join(sorted(SUFFIXES))} and DICOM without a suffix"
NO_IMAGES: Final = frozenset({
    ".bat", ".cfg", ".css", ".csv", ".db", ".doc", ".docx", ".exe", ".h5", ".htm",
    ".html", ".inf", ".ini", ".ipynb", ".js", ".json", ".jsonl", ".log", ".md",
    ".names", ".nii", ".npy", ".npz", ".onnx", ".part", ".pdf", ".pt", ".pth", ".py",
    ".rtf", ".salt", ".sh", ".sqlite", ".svg", ".toml", ".tsv", ".txt", ".xls", ".xlsx",
    ".xml", ".yaml", ".yml",
})  # fmt: skip
"""Suffixes of files that nobody has to look into."""
_INDEX: Final = "DICOMDIR"
_UID_PART: Final = re.compile(r"\.\d+")


def has_image_suffix(name: str) -> bool:
    """Tell an X-ray by its name."""
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 - 10 times as fast


def has_other_suffix(name: str) -> bool:
    """Tell what is no X-ray by its name: text, tables, volumes, the index of a disc."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - as above
    return suffix in NO_IMAGES or name.upper() == _INDEX


def may_be_dicom(name: str) -> bool:
    """Tell whether only a look inside can show if it is DICOM.

    Hospitals export files without a suffix (`IM000001`), or called by their UID
    (`1.2.840.10008.5`). A `DICOMDIR` is DICOM, too, but the index of a disc.

    References:
        DICOM PS3.10, section 7.1 (preamble and prefix) and 8.6 (DICOMDIR).

    Examples:
        >>> [may_be_dicom(name) for name in ("IM1", "1.2.8", "DICOMDIR", "a.txt")]
        [True, True, False, False]
    """
    suffix = PurePosixPath(name).suffix
    bare = not suffix or _UID_PART.fullmatch(suffix) is not None
    return bare and name.upper() != _INDEX
