"""What is written of one X-ray: its files, and its part of the files for all."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from lungcli.metrics.measures import measure
from lungcli.outputs.coco import coco_entry
from lungcli.outputs.dicom_seg import write_dicom_seg
from lungcli.outputs.label_png import write_label_png
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.nifti import write_nifti
from lungcli.outputs.npz import write_npz
from lungcli.outputs.rle import rle_row
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import outline
from lungcli.workflows.predicting.formats import (
    COCO,
    CSV,
    DICOM_SEG,
    NIFTI,
    NPZ,
    OVERLAY,
    PNG,
    RLE,
    SUFFIXES,
    TABLES,
)

# They take half a second to import, which nobody should wait for without need.
_LIBRARIES: Final = {NIFTI: "nibabel.nifti1", DICOM_SEG: "highdicom.seg"}


def _write_labels(xray: LabelledXray, path: Path) -> None:
    write_label_png(xray.labels, path)


def _write_overlay(xray: LabelledXray, path: Path) -> None:
    write_png(outline(xray.image, xray.labels), path)


def _rle(xray: LabelledXray) -> dict[str, Any]:
    return dict(rle_row(xray))


def _coco(xray: LabelledXray) -> dict[str, Any]:
    return asdict(coco_entry(xray))


def _measures(xray: LabelledXray) -> dict[str, Any]:
    turns = xray.quarter_turns
    found = measure(
        xray.labels,
        xray.spacing_mm,
        quarter_turns=turns,
        structures=xray.structures,
    )
    return found.to_dict()


_WRITERS: Final[dict[str, Callable[[LabelledXray, Path], object]]] = {
    PNG: _write_labels,
    NIFTI: write_nifti,
    NPZ: write_npz,
    OVERLAY: _write_overlay,
}
_CONTRIBUTIONS: Final[dict[str, Callable[[LabelledXray], dict[str, Any]]]] = {
    RLE: _rle,
    COCO: _coco,
    CSV: _measures,
}


def load_libraries(formats: Sequence[str]) -> None:
    """Import what the formats need before threads do, which would break circles."""
    for name in formats:
        if name in _LIBRARIES:
            import_module(_LIBRARIES[name])


def write_files(
    xray: LabelledXray, stems: Path, formats: Sequence[str], *, model: str
) -> dict[str, int]:
    """Write the files of one X-ray.

    Args:
        xray: With its labels.
        stems: Path of each file without its suffix.
        formats: The wanted ones. DICOM-SEG is written for DICOM only: it refers to
            its source.
        model: Name of the network, for the record.

    Returns:
        Bytes of each file, by its suffix.

    Raises:
        ImageError: If a DICOM file lacks what a DICOM-SEG must repeat.
        OutputError: If a file cannot be written.
    """
    written = {}
    for name in formats:
        if name in TABLES or (name == DICOM_SEG and xray.dicom is None):
            continue
        path = stems.with_name(f"{stems.name}{SUFFIXES[name]}")
        if name == DICOM_SEG:
            write_dicom_seg(xray, path, model=model)
        else:
            _WRITERS[name](xray, path)
        written[SUFFIXES[name]] = path.stat().st_size
    return written


def contributions(
    xray: LabelledXray, formats: Sequence[str], *, drawn: LabelledXray
) -> dict[str, dict[str, Any]]:
    """Return what an X-ray adds to each file for all, as JSON documents.

    Args:
        xray: With the structures that are written.
        formats: The wanted ones.
        drawn: With all that the model draws: all of it is measured.
    """
    return {
        name: _CONTRIBUTIONS[name](drawn if name == CSV else xray)
        for name in formats
        if name in TABLES
    }
