"""One chest X-ray with its mask files, as every source lists it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from lungcli.system.urls import Url

if TYPE_CHECKING:  # NumPy takes time that the help of `prepare` does not have
    from lungcli.arrays import SpacingMm

CaseKey = tuple[str, str]
"""`(source, case_id)`: what tells a case from all others."""

WITHOUT_MASK: Final = "kept without mask, not used for training or scores"
"""What becomes of a case whose mask is missing or cannot be used."""


class Layout(StrEnum):
    """Folder layout of a source, as `--layout` takes it; `auto` tries them all."""

    AUTO = "auto"
    MONTGOMERY = "montgomery"
    SHENZHEN = "shenzhen"
    JSRT = "jsrt"
    STRUCTURES = "structures"
    ANNOTATIONS = "annotations"
    PREDICTED = "predicted"
    FOLDER = "folder"
    BESIDE = "beside"


class Convention(StrEnum):
    """Whether a mask counts the heart's shadow as lung."""

    HEART_EXCLUDED = "heart-excluded"
    HEART_INCLUDED = "heart-included"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MaskEntry:
    """The masks of one CXR in a file that holds those of many.

    Attributes:
        path: A COCO JSON file, or a table of run lengths.
        name: What the file calls the CXR.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFiles:
    """The mask files of one CXR, merged with OR.

    Attributes:
        apart: Files of one structure each, by its key.
        combined: Files of both lungs: binary, or a label map, which may hold other
            structures, too.
        entries: Its masks in files of many.
        scale: The masks may be drawn on a grid this many times coarser than the
            image's (JSRT: 2); 1 if they must have the image's size.
    """

    apart: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    combined: tuple[Path, ...] = ()
    entries: tuple[MaskEntry, ...] = ()
    scale: int = 1

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file, those of one structure first."""
        return (
            *(path for files in self.apart.values() for path in files),
            *self.combined,
            *(entry.path for entry in self.entries),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSpacing:
    """A pixel size that holds only at the published image dimensions.

    A resized copy of a public data set has an unknown pixel size, never a guessed
    one.
    """

    spacing_mm: "SpacingMm"
    shapes: tuple[tuple[int, int], ...]

    def at(self, shape: tuple[int, int]) -> "SpacingMm | None":
        """Return the spacing if `shape` (height, width) is a published one."""
        return self.spacing_mm if shape in self.shapes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Paths and facts of one CXR; pixels are read later, one case at a time.

    Attributes:
        case_id: Unique within its source, e.g. `"MCUCXR_0001_0"`.
        patient_id: Splits are by patient, never by image.
        source: Name of the source, e.g. `"montgomery"`.
        image_path: The CXR as published.
        masks: Its mask files; None if it has none.
        spacing: Pixel size where the source states one.
        finding: Diagnosis, empty if unknown; so are `sex`, `age` and `view`.
        ctr: Cardiothoracic ratio that somebody has measured; None if unknown.
        split: That its source has it in; empty if that does not say.
        name: What its files are called, if the case_id hides it; else empty.
    """

    case_id: str
    patient_id: str
    source: str
    image_path: Path
    masks: MaskFiles | None = None
    spacing: PublishedSpacing | None = None
    finding: str = ""
    sex: str = ""
    age: str = ""
    view: str = ""
    ctr: float | None = None
    split: str = ""
    name: str = ""

    @property
    def key(self) -> CaseKey:
        """What tells it from all other cases."""
        return self.source, self.case_id


class Issue(StrEnum):
    """What the audit can find."""

    UNUSABLE = "unusable folder"
    UNREADABLE = "unreadable"
    TOO_SMALL = "too small"
    FEW_LEVELS = "few gray levels"
    DOUBTFUL = "doubtful image"
    NO_MASK = "no mask"
    NO_IMAGE = "no image"
    AMBIGUOUS = "two files of one name"
    EMPTY_MASK = "empty mask"
    MASK_SIZE = "mask of other size"
    INVERTED = "inverted mask"
    LARGE_MASK = "mask of nearly everything"
    STRAY_BLOBS = "stray blobs"
    SIDES = "swapped sides"
    ONE_LUNG = "one lung only"
    DISAGREES = "mask of something else"
    OVERLAP = "overlapping masks"
    DUPLICATE = "exact duplicate"
    NEAR_DUPLICATE = "near duplicate"
    PATIENT_LEAK = "patient in two splits"
    NOT_LISTED = "not in the split file"
    NOT_FOUND = "listed, but not there"


TO_LOOK_AT: Final = frozenset({
    Issue.DOUBTFUL, Issue.FEW_LEVELS, Issue.INVERTED, Issue.LARGE_MASK, Issue.SIDES,
    Issue.ONE_LUNG, Issue.DISAGREES,
})  # fmt: skip
"""Findings of cases that are kept, and whose picture tells more than words."""

ABOUT_MANY: Final = frozenset({Issue.UNUSABLE, Issue.NOT_LISTED, Issue.NOT_FOUND})
"""Findings of a folder or a list, which belong to no case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One line of the audit: what is wrong with which file, and what was done.

    Attributes:
        issue: Kind of the finding.
        source: Name of the source.
        case_id: The case, empty if the file belongs to none.
        path: The file, or its URL.
        detail: What was seen, in words and numbers.
        action: What lungcli did about it, e.g. `"left out"`.
    """

    issue: Issue
    source: str
    case_id: str
    path: Path | Url
    detail: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceListing:
    """What a source found in its folder.

    Attributes:
        name: Name of the source, as in its cases.
        root: The folder.
        convention: Of its masks, as far as the layout tells.
        cases: Sorted by case_id.
        findings: What is wrong with the files, seen without reading pixels.
        layout: Name of the layout, as `--layout` takes it.
        notes: What a person should know, and need not mend.
    """

    name: str
    root: Path
    convention: Convention
    cases: tuple[Case, ...]
    findings: tuple[AuditFinding, ...] = field(default=())
    layout: str = ""
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Knows one folder layout; one module of `lungcli.data.sources` each."""

    layout: Layout
    expected: str  # one line for error messages: what the layout looks like

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Return what the layout is made of, and whether `root` has it.

        Where all is there, `root` has this layout. Names only are looked at.
        """
        ...

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """Return one listing for each set that the folder holds; read no pixels.

        Raises:
            DatasetError: If the folder holds no image.
        """
        ...
