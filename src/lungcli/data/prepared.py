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
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lungcli.anatomy import BY_LABEL, IGNORE, Knowledge
from lungcli.arrays import Gray, LabelMap
from lungcli.data.case import CaseKey, Convention
from lungcli.data.geometry import resize_labels, resize_square
from lungcli.data.knowledge import of_convention, read_knowledge
from lungcli.data.prepared_case import SPLITS, PreparedCase, parse_case, whole_number
from lungcli.errors import DatasetError, ImageError
from lungcli.system.documents import read_json
from lungcli.system.files import read_plain
from lungcli.system.quiet import without_warnings

__all__ = [
    "AUDIT_CSV",
    "CASES_CSV",
    "CONTACT_SHEET",
    "DATASET_JSON",
    "FORMAT_VERSION",
    "SPLITS",
    "PreparedCase",
    "PreparedDataset",
    "is_prepared",
    "open_prepared",
]

FORMAT_VERSION: Final = 1
DATASET_JSON: Final = "dataset.json"
CASES_CSV: Final = "cases.csv"
AUDIT_CSV: Final = "audit.csv"
CONTACT_SHEET: Final = "contact-sheet.png"
_LAST_LABEL: Final = max(BY_LABEL)
_MOST_CASES_BYTES: Final = 2**28  # of cases.csv: a million cases
_PNG_OVERHEAD: Final = 2**16  # bytes; more only where they take more than the pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDataset:
    """A prepared data set; pixels are read on demand.

    Attributes:
        root: Its folder.
        name: Names of its sources, joined by `+`.
        size: The largest side a stored square may have.
        convention: Whether the masks count the heart's shadow as lung.
        fingerprint: SHA-256 over the stored pixels, in the order of the cases.
        sources: What the masks of each source know of each structure, by its key.
        cases: Every case, in the order of `cases.csv`.
    """

    root: Path
    name: str
    size: int
    convention: Convention
    fingerprint: str
    sources: Mapping[str, Mapping[str, Knowledge]] = field(hash=False)
    cases: tuple[PreparedCase, ...]

    def knowledge(self, source: str) -> Mapping[str, Knowledge]:
        """Return what the masks of a source know of each structure, by its key.

        Args:
            source: Its name; of one that `dataset.json` does not list, the data set's
                convention tells.
        """
        return self.sources.get(source) or of_convention(self.convention)

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
                `read_mask`, `read_reference` and `read_pair`, also on labels that
                `anatomy` does not have.
        """
        side = case.geometry.side
        return _read_png(self.root / case.image, (side, side))

    def read_mask(self, case: PreparedCase) -> LabelMap:
        """Return the label map on the square, shape `(side, side)`."""
        side = case.geometry.side
        return _read_labels(self.root / _drawn(case, case.mask), (side, side))

    def read_reference(self, case: PreparedCase) -> LabelMap:
        """Return the label map on the original grid, shape `(height, width)`."""
        shape = (case.geometry.height, case.geometry.width)
        return _read_labels(self.root / _drawn(case, case.reference), shape)

    def read_pair(self, case: PreparedCase, side: int) -> tuple[Gray, LabelMap]:
        """Return CXR and label map, resized to `(side, side)`; the case has a mask."""
        return (
            resize_square(self.read_image(case), side),
            resize_labels(self.read_mask(case), side),
        )


def is_prepared(root: Path) -> bool:
    """Tell whether a folder is what `lungcli prepare` writes, in any format version.

    The name proves nothing: nnU-Net also calls a file `dataset.json`.
    """
    try:
        facts = read_json(root / DATASET_JSON)
    except (OSError, ValueError):
        return False
    return {"format_version", "fingerprint"} <= facts.keys()


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
        convention = Convention(facts["convention"])
        return PreparedDataset(
            root=root,
            name=str(facts["name"]),
            size=whole_number(facts["size"], "size", 1),
            convention=convention,
            fingerprint=str(facts["fingerprint"]),
            sources=read_knowledge(facts.get("sources", ()), convention),
            cases=_read_cases(root / CASES_CSV),
        )
    except (
        AttributeError,
        KeyError,
        OverflowError,
        TypeError,
        ValueError,
    ) as error:
        raise _damaged(root / DATASET_JSON, error) from error


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = read_json(path)
        version = facts["format_version"]
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error
    if version != FORMAT_VERSION:
        msg = (
            f"{path} has format version {version}, this lungcli reads "
            f"{FORMAT_VERSION}. Run 'lungcli prepare' again with --force."
        )
        raise DatasetError(msg)
    return facts


def _read_cases(path: Path) -> tuple[PreparedCase, ...]:
    cases: dict[CaseKey, PreparedCase] = {}
    try:
        text = read_plain(path, _MOST_CASES_BYTES).decode("utf-8")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        for row in reader:
            _add(cases, row, f"line {reader.line_num}")
    except (OSError, csv.Error, ValueError) as error:
        raise _damaged(path, error) from error
    return tuple(cases.values())


def _add(
    cases: dict[CaseKey, PreparedCase], row: Mapping[str, str | None], where: str
) -> None:
    try:
        case = parse_case(row)
    except ValueError as error:
        msg = f"{where}: {error}"
        raise ValueError(msg) from error
    if cases.setdefault(case.key, case) is not case:
        msg = f"{where}: {case.case_id} of {case.source} is there twice"
        raise ValueError(msg)


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


def _read_labels(path: Path, shape: tuple[int, int]) -> LabelMap:
    labels = _read_png(path, shape)
    foreign = labels[(labels > _LAST_LABEL) & (labels != IGNORE)]
    if foreign.size:
        msg = (
            f"{path} holds the label {foreign.max()}, which is of no structure, so it "
            "is not as it was prepared. Run 'lungcli prepare' again with --force."
        )
        raise ImageError(msg)
    return labels


def _read_png(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    pixels = None
    try:
        content = read_plain(path, 2 * shape[0] * shape[1] + _PNG_OVERHEAD)
        with without_warnings():
            image = Image.open(io.BytesIO(content), formats=("PNG",))
        mode, found = image.mode, (image.height, image.width)
        if (mode, found) == ("L", shape):  # or nothing is decoded
            pixels = np.array(image)
    except Exception as error:  # Pillow raises a dozen kinds on broken files
        is_png = not isinstance(error, UnidentifiedImageError)
        reason = error if is_png else "it is no PNG"
        msg = (
            f"cannot read {path} ({reason}). Run 'lungcli prepare' again with --force."
        )
        raise ImageError(msg) from error
    if pixels is None:
        msg = (
            f"{path} is {mode} of shape {found}, not 8-bit gray of shape "
            f"{shape} as it was prepared. Run 'lungcli prepare' again with --force."
        )
        raise ImageError(msg)
    return pixels
