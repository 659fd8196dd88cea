"""Which structures the masks of a source show: all of its masks, or none."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lungcli.anatomy import BY_KEY, LUNGS
from lungcli.data.audit import missing_structure
from lungcli.data.storing import StoredCase


def drawn_beside_lungs(stored: Sequence[StoredCase], source: str) -> frozenset[str]:
    """Return the keys of what any mask of a source shows beside the lungs."""
    shown = [each.structures for each in stored if each.case.source == source]
    return frozenset().union(*shown) - {lung.key for lung in LUNGS}


def leave_out_incomplete(
    stored: Sequence[StoredCase], folder: Path
) -> tuple[StoredCase, ...]:
    """Take the mask from cases that lack what the other masks of their source show.

    Every chest has a heart. A mask without one says nothing of where it is, but would
    be taken to say that there is none. A lung may truly be absent.

    Args:
        stored: Every case of every source.
        folder: The data set that is being written.
    """
    sources = {each.case.source for each in stored}
    wanted = {source: drawn_beside_lungs(stored, source) for source in sources}
    return tuple(
        _without_mask(each, wanted[each.case.source] - each.structures, folder)
        for each in stored
    )


def _without_mask(
    stored: StoredCase, missing: frozenset[str], folder: Path
) -> StoredCase:
    row = stored.row
    if row is None or not row.has_mask or not missing:
        return stored
    names = [each.name for key, each in BY_KEY.items() if key in missing]
    finding = missing_structure(stored.case, " and ".join(names))
    for path in (row.mask, row.reference):
        (folder / path).unlink()
    notes = "; ".join(note for note in (row.notes, finding.issue.value) if note)
    return replace(
        stored,
        row=replace(row, mask="", reference="", sides="", notes=notes),
        fingerprint=stored.image_fingerprint,
        structures=frozenset(),
        findings=(*stored.findings, finding),
    )
