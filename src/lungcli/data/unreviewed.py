"""Masks that a network has drawn, and that nobody has looked at yet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lungcli.data.case import SourceListing
from lungcli.errors import DatasetError

JOURNAL: Final = "predictions.jsonl"
"""What `lungcli predict` leaves in the folder of its masks."""
_JOURNALS: Final = "predictions*.jsonl"  # those of `--shard`, too


def check_reviewed(listings: Sequence[SourceListing]) -> None:
    """Refuse sources whose masks lie in a folder that `predict` has written.

    Whoever trains on them teaches a network the faults of another, and scores against
    them tell how alike two networks are.

    Raises:
        DatasetError: With the remedy.
    """
    for listing in listings:
        for folder in sorted(_folders_of_masks(listing)):
            journal = next(folder.glob(_JOURNALS), None)
            if journal is not None:
                msg = (
                    f"the masks in {folder} are a network's ({journal.name} lies "
                    "beside them), and nobody has said that they are right. Insist "
                    "with --unreviewed."
                )
                raise DatasetError(msg)


def _folders_of_masks(listing: SourceListing) -> set[Path]:
    """Return the folders of the masks, up to that of the source."""
    masks = (path for case in listing.cases if case.masks for path in case.masks.paths)
    above = {parent for path in masks for parent in path.parents}
    return {folder for folder in above if folder.is_relative_to(listing.root)}
