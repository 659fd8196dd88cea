"""What is wrong with the files of a source, seen by their names alone."""

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from lungcli.anatomy import LUNGS
from lungcli.data.case import WITHOUT_MASK, AuditFinding, Case, Issue


def missing_masks(cases: Iterable[Case]) -> Iterator[AuditFinding]:
    """Report images without any mask."""
    for case in cases:
        if case.masks is None:
            yield AuditFinding(
                issue=Issue.NO_MASK,
                source=case.source,
                case_id=case.case_id,
                path=case.image_path,
                detail="no mask file for this image",
                action=WITHOUT_MASK,
            )


def missing_sides(cases: Iterable[Case]) -> Iterator[AuditFinding]:
    """Report images with a mask of one lung alone, where each has its own."""
    for case in cases:
        if case.masks is None or case.masks.combined or case.masks.entries:
            continue
        there = [lung.name for lung in LUNGS if lung.key in case.masks.apart]
        missing = [lung.name for lung in LUNGS if lung.key not in case.masks.apart]
        if len(there) == 1:
            yield AuditFinding(
                issue=Issue.NO_MASK,
                source=case.source,
                case_id=case.case_id,
                path=case.image_path,
                detail=f"no mask of the {missing[0]}",
                action=f"kept with the {there[0]} alone",
            )


def missing_images(
    masks: Mapping[str, Path], images: Container[str]
) -> Iterator[AuditFinding]:
    """Report masks without their image; both by their stems."""
    for stem, path in masks.items():
        if stem not in images:
            yield left_out(Issue.NO_IMAGE, stem, path, "a mask without its image")


def left_out(issue: Issue, stem: str, path: Path, detail: str) -> AuditFinding:
    """Report a file that is not used, of no source yet."""
    return AuditFinding(
        issue=issue,
        source="",
        case_id=stem,
        path=path,
        detail=detail,
        action="left out",
    )
