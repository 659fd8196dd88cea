"""One case from its source files to its files in the prepared data set."""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import STRUCTURES
from lungcli.data.audit import (
    doubt_findings,
    few_levels_finding,
    image_finding,
    inspect_labels,
    inverted_finding,
    label_findings,
    mask_finding,
    one_lung_finding,
    overlap_finding,
)
from lungcli.data.case import AuditFinding, Case
from lungcli.data.duplicates import Look, look_at
from lungcli.data.geometry import fit_square, labels_to_square, to_square
from lungcli.data.levels import spread_levels
from lungcli.data.prepared import PreparedCase
from lungcli.data.read_xray import read_xray
from lungcli.data.reading import CaseLabels, read_case_labels
from lungcli.data.xray import Xray
from lungcli.errors import ImageError

IMAGES: Final = "images"
MASKS: Final = "masks"
REFERENCES: Final = "references"
_LONGEST_STEM: Final = 110  # bytes; file systems allow 255, a source may precede


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker needs to store one case.

    Attributes:
        case: The case as its source lists it.
        stem: Name of its files, from `file_stems`.
        folder: The data set that is being written.
        size: The largest side of a stored square.
        said: What the user says that values of mask files mean.
    """

    case: Case
    stem: str
    folder: Path
    size: int
    said: Mapping[float, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """What is known of a case once its files are written.

    Attributes:
        case: The case as its source lists it.
        row: The case as stored, in no split yet; None if its image is unusable.
        look: To find copies by; None if the image is unusable.
        fingerprint: SHA-256 of the stored pixels.
        image_fingerprint: SHA-256 of the stored image alone.
        structures: Keys of the structures that its mask shows.
        findings: What the audit saw in this case.
    """

    case: Case
    row: PreparedCase | None = None
    look: Look | None = None
    fingerprint: str = ""
    image_fingerprint: str = ""
    structures: frozenset[str] = frozenset()
    findings: tuple[AuditFinding, ...] = ()


def store_case(job: Job) -> StoredCase:
    """Decode a case, audit it, and write its square and original-grid files.

    A file that cannot be used becomes a finding; what is left of the case is kept.
    """
    case = job.case
    try:
        xray = read_xray(case.image_path)
    except Exception as error:  # of a library, too: the other cases must go on
        why = _explained(case.image_path, error)
        return StoredCase(case=case, findings=(image_finding(case, why),))
    labels, of_masks = _read_labels(case, xray, job.said)
    findings = (
        *doubt_findings(case, xray.doubts),
        *few_levels_finding(case, xray.pixels),
        *of_masks,
    )
    row, fingerprints = _write(job, xray, labels, findings)
    return StoredCase(
        case=case,
        row=row,
        look=look_at(xray.upright(xray.pixels)),
        fingerprint=fingerprints[-1],
        image_fingerprint=fingerprints[0],
        structures=_shown(labels),
        findings=findings,
    )


def file_stems(cases: Sequence[Case]) -> list[str]:
    """Name the files of each case.

    A stem is the case_id; `<source>--<case_id>` where two sources share it. What
    file systems forbid becomes `_`, and names that differ only in that, or in upper
    and lower case, are numbered.

    Examples:
        >>> from pathlib import Path
        >>> keys = [("a", "001"), ("b", "001"), ("b", "x/y"), ("b", "x:y")]
        >>> cases = [
        ...     Case(case_id=i, patient_id=i, source=s, image_path=Path())
        ...     for s, i in keys
        ... ]
        >>> file_stems(cases)
        ['a--001', 'b--001', 'x_y', 'x_y-2']
    """
    plain = [_safe(case.case_id) for case in cases]
    keys = {
        (case.source, stem.casefold()) for case, stem in zip(cases, plain, strict=True)
    }
    owners = Counter(stem for _, stem in keys)
    taken: set[str] = set()
    stems = []
    for case, stem in zip(cases, plain, strict=True):
        shared = owners[stem.casefold()] > 1
        wanted = f"{_safe(case.source)}--{stem}" if shared else stem
        stems.append(numbered(wanted, taken))
    return stems


def numbered(name: str, taken: set[str]) -> str:
    """Return the name, or `name-2`, `name-3`, …: the first not taken, and take it.

    Upper and lower case are the same, as some file systems have it.
    """
    chosen, number = name, 1
    while chosen.casefold() in taken:
        number += 1
        chosen = f"{name}-{number}"
    taken.add(chosen.casefold())
    return chosen


def _read_labels(
    case: Case, xray: Xray, said: Mapping[float, str] | None
) -> tuple[CaseLabels | None, tuple[AuditFinding, ...]]:
    """Read the masks, which lie on the grid of the file, and set them upright."""
    if case.masks is None:
        return None, ()
    height, width = xray.pixels.shape
    try:
        stored = read_case_labels(case, (height, width), said)
        drawn = replace(stored, labels=xray.upright(stored.labels))
        facts = inspect_labels(drawn.labels)
    except Exception as error:
        why = _explained(case.masks.paths[0], error)
        return None, (mask_finding(case, why),)
    findings = (
        *label_findings(case, facts),
        *overlap_finding(case, drawn.overlap),
        *inverted_finding(case, drawn.is_inverted),
        *one_lung_finding(case, drawn.labels),
    )
    return drawn if facts.area else None, findings


def _shown(drawn: CaseLabels | None) -> frozenset[str]:
    if drawn is None:
        return frozenset()
    return frozenset(
        each.key for each in STRUCTURES if (drawn.labels == each.label).any()
    )


def _explained(path: Path, error: Exception) -> ImageError:
    if isinstance(error, ImageError):
        return error
    if isinstance(error, MemoryError):
        return ImageError(f"{path} is too large for the memory. Make it smaller.")
    if isinstance(error, OSError):  # gone while it was read
        return ImageError(f"cannot read {path} ({error.strerror}). Try it again.")
    kind = type(error).__name__
    return ImageError(f"{path} cannot be used ({kind}). Report it, or leave it out.")


def _write(
    job: Job,
    xray: Xray,
    drawn: CaseLabels | None,
    findings: Sequence[AuditFinding],
) -> tuple[PreparedCase, list[str]]:
    pixels = xray.upright(xray.pixels)
    height, width = pixels.shape
    geometry = fit_square(height, width, min(job.size, max(height, width)))
    arrays = {IMAGES: to_square(spread_levels(pixels), geometry)}
    if drawn is not None:
        arrays[MASKS] = labels_to_square(drawn.labels, geometry)
        arrays[REFERENCES] = drawn.labels
    paths, fingerprints = _write_arrays(job, arrays)
    case = job.case
    notes = [*xray.notes, *_turned(xray), *(each.issue.value for each in findings)]
    published = case.spacing.at((height, width)) if case.spacing else None
    row = PreparedCase(
        case_id=case.case_id,
        patient_id=case.patient_id,
        source=case.source,
        split="",
        image=paths[IMAGES],
        mask=paths.get(MASKS, ""),
        reference=paths.get(REFERENCES, ""),
        geometry=geometry,
        spacing_mm=published or xray.upright_spacing_mm,
        sides=drawn.sides if drawn else "",
        window_low=xray.low,
        window_high=xray.high,
        finding=case.finding,
        sex=case.sex,
        age=case.age,
        view=case.view or xray.view,
        ctr=case.ctr,
        notes="; ".join(note for note in notes if note),
    )
    return row, fingerprints


def _turned(xray: Xray) -> tuple[str, ...]:
    """Say what the tags had done to pixels and masks."""
    turned = (
        f"turned by {90 * (xray.quarter_turns or 0)}°" if xray.quarter_turns else ""
    )
    return tuple(filter(None, (turned, "mirrored" if xray.mirrored else "")))


def _write_arrays(
    job: Job, arrays: Mapping[str, NDArray[np.uint8]]
) -> tuple[dict[str, str], list[str]]:
    digest = hashlib.sha256()
    paths, fingerprints = {}, []  # each of all so far
    for folder, array in arrays.items():
        paths[folder] = f"{folder}/{job.stem}.png"
        _write_png(array, job.folder / paths[folder])
        digest.update(repr(array.shape).encode())
        digest.update(array.tobytes())
        fingerprints.append(digest.hexdigest())
    return paths, fingerprints


def _write_png(array: NDArray[np.uint8], path: Path) -> None:
    # Run lengths alone: as small as the default on X-rays and label maps, and four
    # times faster.
    Image.fromarray(array).save(path, format="PNG", compress_type=zlib.Z_RLE)


def _safe(name: str) -> str:
    safe = re.sub(r"[^\w.-]+", "_", name).lstrip(".")
    return safe.encode()[:_LONGEST_STEM].decode(errors="ignore") or "_"
