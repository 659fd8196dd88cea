"""The formats that `predict` writes, by the names that `--format` takes."""

from collections.abc import Sequence
from typing import Final

from lungcli.errors import ConfigError

PNG: Final = "png"
NIFTI: Final = "nifti"
DICOM_SEG: Final = "dicom-seg"
NPZ: Final = "npz"
OVERLAY: Final = "overlay"
RLE: Final = "rle"
COCO: Final = "coco"
CSV: Final = "csv"

# One file an X-ray: what is appended to its stem.
SUFFIXES: Final = {
    PNG: ".png",
    NIFTI: ".nii.gz",
    DICOM_SEG: "_seg.dcm",
    NPZ: ".npz",
    OVERLAY: "_overlay.png",
}

# One file for all X-rays: its name.
TABLES: Final = {RLE: "rle.csv", COCO: "coco.json", CSV: "measures.csv"}

FORMATS: Final = (*SUFFIXES, *TABLES)


def parse_formats(text: str) -> tuple[str, ...]:
    """Return the formats of a list like `png,nifti`, each once.

    Raises:
        ConfigError: If there is none, or an unknown one.
    """
    given = (name.strip().lower() for name in text.split(","))
    names = tuple(dict.fromkeys(name for name in given if name))
    for name in names or ("",):
        if name not in FORMATS:
            msg = f"{name!r} is none of {', '.join(FORMATS)}."
            raise ConfigError(msg)
    return names


def suffixes(formats: Sequence[str]) -> list[str]:
    """Return what is appended to the stem of an X-ray, for each file of its own."""
    return [SUFFIXES[name] for name in formats if name in SUFFIXES]


def output_names(stem: str, formats: Sequence[str]) -> list[str]:
    """Return the names of all files that may be written for one X-ray alone."""
    return [f"{stem}{suffix}" for suffix in suffixes(formats)]
