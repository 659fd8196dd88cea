"""The formats that `predict` writes, by the names that `--format` takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from lungcli.errors import ConfigError
from lungcli.metrics.measures import measure, measure_columns
from lungcli.outputs.coco import CocoEntry, coco_entry, write_coco
from lungcli.outputs.dicom_seg import write_dicom_seg
from lungcli.outputs.label_png import write_label_png
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.nifti import write_nifti
from lungcli.outputs.npz import write_npz
from lungcli.outputs.rle import RleRow, rle_row, write_rle
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import outline
from lungcli.workflows.predicting.entry_table import write_table
from lungcli.workflows.predicting.journal import Entry
from lungcli.workflows.predicting.shards import WHOLE, Shard

NIFTI: Final = "nifti"
DICOM_SEG: Final = "dicom-seg"
NPZ: Final = "npz"
PNG: Final = "png"
OVERLAY: Final = "overlay"


def _write_labels(xray: LabelledXray, path: Path) -> None:
    write_label_png(xray.labels, path)


def _write_overlay(xray: LabelledXray, path: Path) -> None:
    write_png(outline(xray.image, xray.labels), path)


# One file an X-ray: what is appended to its stem, and who writes it.
SUFFIXES: Final = {
    PNG: ".png",
    NIFTI: ".nii.gz",
    DICOM_SEG: "_seg.dcm",
    NPZ: ".npz",
    OVERLAY: "_overlay.png",
}
_WRITERS: Final[dict[str, Callable[[LabelledXray, Path], object]]] = {
    PNG: _write_labels,
    NIFTI: write_nifti,
    NPZ: write_npz,
    OVERLAY: _write_overlay,
}


def _rle(xray: LabelledXray) -> dict[str, Any]:
    return asdict(rle_row(xray))


def _coco(xray: LabelledXray) -> dict[str, Any]:
    return asdict(coco_entry(xray))


def _measures(xray: LabelledXray) -> dict[str, Any]:
    turns = xray.quarter_turns
    return measure(xray.labels, xray.spacing_mm, quarter_turns=turns).to_dict()


# One file for all X-rays: its name, and what an X-ray contributes.
TABLES: Final = {"rle": "rle.csv", "coco": "coco.json", "csv": "measures.csv"}
_CONTRIBUTIONS: Final[dict[str, Callable[[LabelledXray], dict[str, Any]]]] = {
    "rle": _rle,
    "coco": _coco,
    "csv": _measures,
}

# They take half a second to import, which nobody should wait for without need.
_LIBRARIES: Final = {NIFTI: "nibabel.nifti1", DICOM_SEG: "highdicom.seg"}

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
        path = _path(stems, name)
        if name == DICOM_SEG:
            write_dicom_seg(xray, path, model=model)
        else:
            _WRITERS[name](xray, path)
        written[SUFFIXES[name]] = path.stat().st_size
    return written


def output_names(stem: str, formats: Sequence[str]) -> list[str]:
    """Return what `write_files` may write for an X-ray."""
    return [f"{stem}{SUFFIXES[name]}" for name in formats if name in SUFFIXES]


def contributions(xray: LabelledXray, formats: Sequence[str]) -> dict[str, Any]:
    """Return what an X-ray adds to each file for all, as JSON documents."""
    return {name: _CONTRIBUTIONS[name](xray) for name in formats if name in TABLES}


def write_tables(
    out: Path,
    entries: Callable[[], Iterable[Entry]],
    formats: Sequence[str],
    shard: Shard = WHOLE,
) -> list[Path]:
    """Write the files for all X-rays from what each contributed.

    Args:
        out: The output folder.
        entries: Begins anew at every call; one entry at a time is in memory.
        formats: The wanted ones.
        shard: Which part of all X-rays these are.

    Returns:
        The files.

    Raises:
        OutputError: If a file cannot be written.
    """

    def parts(name: str) -> Iterator[dict[str, Any]]:
        for entry in entries():
            if name in entry.record:
                yield entry.record[name]

    files = {name: out / shard.named(TABLES[name]) for name in TABLES}
    if "rle" in formats:
        write_rle((RleRow(**part) for part in parts("rle")), files["rle"])
    if "coco" in formats:
        write_coco((CocoEntry(**part) for part in parts("coco")), files["coco"])
    if "csv" in formats:
        measured = (entry for entry in entries() if "csv" in entry.record)
        columns = ("file", "name", *measure_columns())
        write_table(
            files["csv"],
            columns,
            measured,
            lambda entry: (
                entry.shown,
                entry.record["name"],
                *entry.record["csv"].values(),
            ),
        )
    return [path for name, path in files.items() if name in formats]


def _path(stems: Path, name: str) -> Path:
    return stems.with_name(f"{stems.name}{SUFFIXES[name]}")
