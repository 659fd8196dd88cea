"""The prepared data set on disk, as every later command reads it.

prepared/
  dataset.json        what it was made of, by which split, and its fingerprint
  cases.csv           one row a case
  audit.csv           one row a finding
  contact-sheet.png   outlines on a sample of the cases
  images/*.png        8-bit gray squares
  masks/*.png         label maps on the same squares
  references/*.png    label maps on the original grids
"""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray, LabelMap, SpacingMm
from lungcli.data.case import CaseKey, Convention
from lungcli.data.geometry import Geometry, resize_labels, resize_square
from lungcli.errors import DatasetError, ImageError

FORMAT_VERSION: Final = 1
DATASET_JSON: Final = "dataset.json"
CASES_CSV: Final = "cases.csv"
AUDIT_CSV: Final = "audit.csv"
CONTACT_SHEET: Final = "contact-sheet.png"
SPLITS: Final = ("train", "val", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCase:
    """One row of `cases.csv`.

    Attributes:
        case_id: Unique within its source.
        patient_id: Splits are by patient.
        source: Name of the source; `(source, case_id)` is the key.
        split: One of `SPLITS`, or `""`: not used, for want of a mask or not listed.
        image: Path of the square CXR, relative to the data set; so are `mask` and
            `reference`, which are `""` when there is no mask.
        mask: Path of the label map on the same square.
        reference: Path of the label map on the original grid.
        geometry: How the original lies in the square.
        spacing_mm: Pixel size of the original grid; None when unknown.
        sides: `"given"` if the source tells the lungs apart, `"derived"` if
            lungcli did, `""` without a mask.
        window_low: Value in the source file that became 0.
        window_high: Value in the source file that became 255.
        finding: Diagnosis, `""` if unknown; so are `sex`, `age` and `view`.
        notes: What the audit saw, separated by semicolons.
    """

    case_id: str
    patient_id: str
    source: str
    split: str
    image: str
    mask: str
    reference: str
    geometry: Geometry
    spacing_mm: SpacingMm | None
    sides: str
    window_low: float
    window_high: float
    finding: str
    sex: str
    age: str
    view: str
    notes: str

    @property
    def key(self) -> CaseKey:
        """What tells it from all other cases."""
        return self.source, self.case_id

    @property
    def has_mask(self) -> bool:
        """Whether there is a reference to train on and to score against."""
        return bool(self.mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDataset:
    """A prepared data set; pixels are read on demand.

    Attributes:
        root: Its folder.
        name: Names of its sources, joined by `+`.
        size: The largest side a stored square may have.
        convention: Whether the masks count the heart's shadow as lung.
        fingerprint: SHA-256 over the stored pixels, in the order of the cases.
        cases: Every case, in the order of `cases.csv`.
    """

    root: Path
    name: str
    size: int
    convention: Convention
    fingerprint: str
    cases: tuple[PreparedCase, ...]

    def select(self, split: str) -> tuple[PreparedCase, ...]:
        """Return the cases with mask of a split, or of `"all"`.

        Raises:
            DatasetError: If there are none; the message names the splits there are.
        """
        with_mask = [case for case in self.cases if case.has_mask]
        chosen = tuple(c for c in with_mask if split in ("all", c.split))
        if not chosen or split not in (*SPLITS, "all"):
            counts = Counter(case.split for case in with_mask)
            there = ", ".join(f"{s} ({counts[s]})" for s in SPLITS if counts[s])
            msg = (
                f"no case with mask in split '{split}' of {self.root}. There are: "
                f"{there or 'none'}, all ({len(with_mask)}). Choose another split or "
                "run 'lungcli prepare' again with other --splits."
            )
            raise DatasetError(msg)
        return chosen

    def read_image(self, case: PreparedCase) -> Gray:
        """Return the square CXR, shape `(side, side)`.

        Raises:
            ImageError: If the file is missing, broken or of another size; so do
                `read_mask` and `read_reference`.
        """
        side = case.geometry.side
        return _read_png(self.root / case.image, (side, side))

    def read_mask(self, case: PreparedCase) -> LabelMap:
        """Return the label map on the square, shape `(side, side)`."""
        side = case.geometry.side
        return _read_png(self.root / _drawn(case, case.mask), (side, side))

    def read_reference(self, case: PreparedCase) -> LabelMap:
        """Return the label map on the original grid, shape `(height, width)`."""
        shape = (case.geometry.height, case.geometry.width)
        return _read_png(self.root / _drawn(case, case.reference), shape)

    def load_pairs(
        self, cases: Sequence[PreparedCase], side: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Read CXRs and label maps, all resized to one side.

        Args:
            cases: Cases with mask.
            side: Side in pixels.

        Returns:
            CXRs and label maps, each of shape `(len(cases), side, side, 1)`.

        Raises:
            ImageError: If a file cannot be read.
        """
        images = np.empty((len(cases), side, side, 1), np.uint8)
        labels = np.empty_like(images)

        def load(index: int) -> None:
            case = cases[index]
            images[index, ..., 0] = resize_square(self.read_image(case), side)
            labels[index, ..., 0] = resize_labels(self.read_mask(case), side)

        with ThreadPoolExecutor() as pool:  # Pillow decodes without the GIL
            for _ in pool.map(load, range(len(cases))):
                pass
        return images, labels


def is_prepared(root: Path) -> bool:
    """Tell whether a folder is what `lungcli prepare` writes, in any format version.

    The name proves nothing: nnU-Net also calls a file `dataset.json`.
    """
    path = root / DATASET_JSON
    try:
        facts = json.loads(path.read_text("utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and {"format_version", "fingerprint"} <= facts.keys()


def open_prepared(root: Path) -> PreparedDataset:
    """Open a folder written by `lungcli prepare`.

    Raises:
        DatasetError: If it is none, is of another format version, or is damaged.
    """
    if not (root / DATASET_JSON).is_file():
        msg = (
            f"no prepared data set in {root} ({DATASET_JSON} is missing). "
            f"Run 'lungcli prepare SOURCE --out {root}' first."
        )
        raise DatasetError(msg)
    facts = _read_facts(root / DATASET_JSON)
    try:
        return PreparedDataset(
            root=root,
            name=str(facts["name"]),
            size=int(facts["size"]),
            convention=Convention(facts["convention"]),
            fingerprint=str(facts["fingerprint"]),
            cases=_read_cases(root / CASES_CSV),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(root / DATASET_JSON, error) from error


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error
    if version != FORMAT_VERSION:
        msg = (
            f"{path} has format version {version}, this lungcli reads "
            f"{FORMAT_VERSION}. Run 'lungcli prepare' again with --force."
        )
        raise DatasetError(msg)
    return dict(facts)


def _read_cases(path: Path) -> tuple[PreparedCase, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return tuple(_case(row) for row in csv.DictReader(stream))
    except (OSError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _case(row: Mapping[str, str]) -> PreparedCase:
    geometry = Geometry(
        height=int(row["original_height"]),
        width=int(row["original_width"]),
        side=int(row["side"]),
        top=int(row["top"]),
        left=int(row["left"]),
        content_height=int(row["content_height"]),
        content_width=int(row["content_width"]),
    )
    spacing = row["spacing_row_mm"], row["spacing_column_mm"]
    return PreparedCase(
        case_id=row["case_id"],
        patient_id=row["patient_id"],
        source=row["source"],
        split=row["split"],
        image=row["image"],
        mask=row["mask"],
        reference=row["reference"],
        geometry=geometry,
        spacing_mm=(float(spacing[0]), float(spacing[1])) if all(spacing) else None,
        sides=row["sides"],
        window_low=float(row["window_low"]),
        window_high=float(row["window_high"]),
        finding=row["finding"],
        sex=row["sex"],
        age=row["age"],
        view=row["view"],
        notes=row["notes"],
    )


def _damaged(path: Path, error: Exception) -> DatasetError:
    # What is not recognised, --force does not replace.
    how = "--force" if is_prepared(path.parent) else "another --out"
    what = f"{path} is damaged ({type(error).__name__}: {error})"
    return DatasetError(f"{what}. Run 'lungcli prepare' again with {how}.")


def _drawn(case: PreparedCase, path: str) -> str:
    if not path:
        msg = f"case {case.case_id} of {case.source} has no mask."
        raise ImageError(msg)
    return path


def _read_png(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            mode, pixels = image.mode, np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        msg = f"cannot read {path} ({error}). Run 'lungcli prepare' again with --force."
        raise ImageError(msg) from error
    if mode != "L" or pixels.shape != shape:
        msg = (
            f"{path} is {mode} of shape {pixels.shape}, not 8-bit gray of shape "
            f"{shape} as it was prepared. Run 'lungcli prepare' again with --force."
        )
        raise ImageError(msg)
    return pixels
