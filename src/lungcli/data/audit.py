"""What can be wrong with a case, put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy import ndimage

from lungcli.anatomy import LUNGS
from lungcli.arrays import LEFT, RIGHT, Gray, LabelMap, is_lung
from lungcli.data.case import WITHOUT_MASK, AuditFinding, Case, CaseKey, Issue
from lungcli.data.duplicates import Copy
from lungcli.data.images import TooSmallError
from lungcli.data.reading import MaskSizeError
from lungcli.errors import ImageError

# Of the lungs' area: 0.01 % changes no score in its fourth decimal. One public set
# has specks of one to three pixels in every tenth mask.
_LEAST_BLOB: Final = 1e-4
# Of the image. Lungs fill a fifth to a half; more is a mask drawn black on white.
_MOST_LUNG: Final = 0.7
_NUM_NAMED: Final = 3
_FEW_LEVELS: Final = 32  # of 256; X-rays use more than 100


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a label map looks like.

    Attributes:
        area: Lung pixels.
        share: Of all pixels.
        stray_areas: Pixels of each blob beyond the two lungs, largest first; specks
            under 0.01 % of the lungs are not counted.
        swapped: The right lung's centre lies to the right of the left lung's.
    """

    area: int
    share: float
    stray_areas: tuple[int, ...]
    swapped: bool


def inspect_labels(labels: LabelMap) -> LabelFacts:
    """Measure a label map, shape `(height, width)`; nothing is changed."""
    lung = is_lung(labels)
    area = int(np.count_nonzero(lung))
    if area == 0:
        return LabelFacts(0, 0.0, (), swapped=False)
    blobs, num_blobs = ndimage.label(lung, structure=np.ones((3, 3)))
    areas = np.bincount(blobs.ravel(), minlength=num_blobs + 1)
    is_stray = areas >= _LEAST_BLOB * area
    is_stray[0] = False
    for side in (RIGHT, LEFT):
        shares = np.bincount(blobs[labels == side], minlength=num_blobs + 1)
        is_stray[shares.argmax()] = False  # a lung is the side's largest blob
    strays = sorted((int(value) for value in areas[is_stray]), reverse=True)
    right, left = (_centre_column(labels, side) for side in (RIGHT, LEFT))
    share = area / labels.size
    return LabelFacts(area, share, tuple(strays), swapped=bool(right > left))


def label_findings(case: Case, facts: LabelFacts) -> tuple[AuditFinding, ...]:
    """Report what `inspect_labels` saw."""
    path = _mask_path(case)
    if facts.area == 0:
        return (
            _finding(case, Issue.EMPTY_MASK, path, "no lung in the mask", WITHOUT_MASK),
        )
    findings = []
    if facts.share > _MOST_LUNG:
        detail = f"the mask covers {100 * facts.share:.0f} % of the image"
        action = "kept as drawn; check whether lung is black and the rest white"
        findings.append(_finding(case, Issue.LARGE_MASK, path, detail, action))
    if facts.stray_areas:
        share = 100 * sum(facts.stray_areas) / facts.area
        detail = (
            f"{len(facts.stray_areas)} beyond the lungs, the largest of "
            f"{facts.stray_areas[0]} pixels, {share:.2g} % of the mask in all"
        )
        action = "kept as drawn, also in the reference"
        findings.append(_finding(case, Issue.STRAY_BLOBS, path, detail, action))
    if facts.swapped:
        detail = "the mask of the right lung lies to the right of the left one's"
        action = "kept as drawn; check whether image or mask is mirrored"
        findings.append(_finding(case, Issue.SIDES, path, detail, action))
    return tuple(findings)


def overlap_finding(case: Case, overlap: int) -> tuple[AuditFinding, ...]:
    """Report pixels that were drawn as lung and as another structure, if any."""
    if not overlap:
        return ()
    detail = f"{overlap} pixels are drawn as lung and as heart"
    action = "counted as heart"
    return (_finding(case, Issue.OVERLAP, _mask_path(case), detail, action),)


def inverted_finding(case: Case, is_inverted: bool) -> tuple[AuditFinding, ...]:
    """Report a mask that is drawn dark on a bright ground, if it is."""
    if not is_inverted:
        return ()
    detail = "the mask is bright all around two dark lungs"
    action = "turned round; to keep it as drawn, give --labels 255=lungs"
    return (_finding(case, Issue.INVERTED, _mask_path(case), detail, action),)


def disagreement_finding(case: Case, agreement: float) -> AuditFinding:
    """Report a mask that is far from what a network, sure of itself, has drawn."""
    detail = (
        f"a Dice of {agreement:.2f} with the mask of the bundled network, which is "
        "sure of its own"
    )
    action = "kept as drawn; look at it: is it the mask of this image, as it lies?"
    return _finding(case, Issue.DISAGREES, _mask_path(case), detail, action)


def one_lung_finding(case: Case, labels: LabelMap) -> tuple[AuditFinding, ...]:
    """Report a mask that shows one lung alone, if it does."""
    there = [lung for lung in LUNGS if (labels == lung.label).any()]
    if len(there) != 1:
        return ()
    detail = f"the mask shows the {there[0].name} alone"
    action = "kept as drawn; the other one counts as absent"
    return (_finding(case, Issue.ONE_LUNG, _mask_path(case), detail, action),)


def few_levels_finding(case: Case, pixels: Gray) -> tuple[AuditFinding, ...]:
    """Report an image that uses a few gray values, as a wrong conversion leaves it."""
    levels = int(np.count_nonzero(np.bincount(pixels.ravel(), minlength=256)))
    if not 1 < levels < _FEW_LEVELS:
        return ()
    detail = f"{levels} of 256 gray values are used"
    action = "kept, stretched; if the original has more, convert it again"
    return (_finding(case, Issue.FEW_LEVELS, case.image_path, detail, action),)


def missing_structure(case: Case, name: str) -> AuditFinding:
    """Report a mask that lacks a structure which the others of its source show."""
    detail = f"no {name} in the mask, which other masks of {case.source} show"
    action = f"{WITHOUT_MASK}; to use its lungs, prepare it in a folder of its own"
    return _finding(case, Issue.NO_MASK, _mask_path(case), detail, action)


def image_finding(case: Case, error: ImageError) -> AuditFinding:
    """Report an image that cannot be used."""
    small = isinstance(error, TooSmallError)
    issue = Issue.TOO_SMALL if small else Issue.UNREADABLE
    return _finding(case, issue, case.image_path, str(error), "left out")


def segmentation_finding(case: Case) -> AuditFinding:
    """Report a DICOM Segmentation among the images."""
    detail = "a DICOM Segmentation, which is a mask and no X-ray"
    return _finding(case, Issue.UNREADABLE, case.image_path, detail, "left out")


def writing_finding(case: Case) -> AuditFinding:
    """Report an image whose header says that text is burnt into the pixels."""
    detail = "text is burnt into the pixels (BurnedInAnnotation), maybe a name"
    action = "kept with the text; look at it before you pass the data set on"
    return _finding(case, Issue.DOUBTFUL, case.image_path, detail, action)


def doubt_findings(case: Case, doubts: Sequence[str]) -> tuple[AuditFinding, ...]:
    """Report what the file of an image gives reason to check, e.g. a lateral view."""
    action = "kept; look at it, and leave it out if it is no frontal chest"
    return tuple(
        _finding(case, Issue.DOUBTFUL, case.image_path, doubt, action)
        for doubt in doubts
    )


def mask_finding(case: Case, error: ImageError) -> AuditFinding:
    """Report mask files that cannot be used."""
    other_size = isinstance(error, MaskSizeError)
    issue = Issue.MASK_SIZE if other_size else Issue.UNREADABLE
    return _finding(case, issue, _mask_path(case), str(error), WITHOUT_MASK)


def copy_findings(
    cases: Sequence[Case], copies: Sequence[Copy], splits: Mapping[CaseKey, str]
) -> tuple[AuditFinding, ...]:
    """Report images that show the same exposure.

    Args:
        cases: The cases that were compared, as the copies' indices count them.
        copies: From `duplicates.find_copies`.
        splits: Split of each case, to tell whether a copy crosses two.
    """
    return tuple(
        _copy_finding(cases[copy.first], cases[copy.second], copy.similarity, splits)
        for copy in copies
    )


def leak_findings(
    cases: Mapping[str, Case], leaks: Mapping[str, Sequence[str]]
) -> tuple[AuditFinding, ...]:
    """Report patients in more than one split, given one case of each patient."""
    return tuple(
        _finding(
            cases[patient],
            Issue.PATIENT_LEAK,
            cases[patient].image_path,
            f"patient {cases[patient].patient_id} is in {' and '.join(splits)}",
            "kept as listed; scores are too good",
        )
        for patient, splits in leaks.items()
    )


def list_findings(
    name: str, not_listed: Sequence[CaseKey], not_found: Sequence[CaseKey]
) -> tuple[AuditFinding, ...]:
    """Report what a split list leaves out, and what it names in vain.

    One finding a source: whole archives may be meant to be left out.

    Args:
        name: Of the list.
        not_listed: Cases with mask that are not in the list.
        not_found: Listed cases that are not there.
    """
    groups = (
        (Issue.NOT_LISTED, not_listed, "kept, in no split"),
        (Issue.NOT_FOUND, not_found, "passed over"),
    )
    return tuple(
        AuditFinding(
            issue=issue,
            source=source,
            case_id="",
            path=Path(name),
            detail=_count([case_id for owner, case_id in keys if owner == source]),
            action=action,
        )
        for issue, keys, action in groups
        for source in dict.fromkeys(source for source, _ in keys)
    )


def _copy_finding(
    first: Case, second: Case, similarity: float | None, splits: Mapping[CaseKey, str]
) -> AuditFinding:
    of = f"of {first.case_id} ({first.source})"
    both = [splits.get(case.key, "") for case in (first, second)]
    crosses = all(both) and both[0] != both[1]
    near = similarity is not None
    return _finding(
        second,
        Issue.NEAR_DUPLICATE if near else Issue.DUPLICATE,
        second.image_path,
        f"a near copy {of}, correlation {similarity:.2f}" if near else f"a copy {of}",
        f"kept as listed, though one is in {both[0]}, the other in {both[1]}"
        if crosses
        else "both kept, never in different splits",
    )


def _finding(
    case: Case, issue: Issue, path: Path, detail: str, action: str
) -> AuditFinding:
    return AuditFinding(
        issue=issue,
        source=case.source,
        case_id=case.case_id,
        path=path,
        detail=detail,
        action=action,
    )


def _mask_path(case: Case) -> Path:
    return case.masks.paths[0] if case.masks else case.image_path


def _centre_column(labels: LabelMap, side: int) -> float:
    """Return the mean column of a lung; NaN, which compares as False, if absent."""
    profile = np.count_nonzero(labels == side, axis=0)
    total = profile.sum()
    return float(profile @ np.arange(profile.size)) / total if total else float("nan")


def _count(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _NUM_NAMED else ""
    cases = "case" if len(names) == 1 else "cases"
    return f"{len(names)} {cases}: {', '.join(names[:_NUM_NAMED])}{more}"
